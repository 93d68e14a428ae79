#!/usr/bin/env python
"""Django's command line for AdTiger: `python manage.py help` lists the commands."""

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.db import DatabaseError

NOT_MIGRATED = ("42P01", "42703")  # PostgreSQL's codes of a table or a column that is not there
AWAY = (None, "57P01", "57P02")  # no answer, or one that says that the server stops


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "adtiger.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import DatabaseError

    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()  # here, where a reader that has gone is no surprise
    except ImproperlyConfigured as exc:
        sys.stderr.write(f"AdTiger is not configured: {exc}\n")
    except BrokenPipeError:  # as of `manage.py limits | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # where the rest goes
        return 1
    except DatabaseError as exc:
        if not (words := explained(exc)):
            raise
        sys.stderr.write(f"{words}\n")
    else:
        return 0
    return 2


def explained(exc: "DatabaseError") -> str:
    """What an operator can do about it, in one line without the password; empty for a defect of ours."""
    from django.conf import settings
    from django.db import OperationalError

    code = getattr(exc.__cause__, "sqlstate", None)
    if code in NOT_MIGRATED:
        return "The database lacks tables or columns of this version: run `python manage.py migrate`."
    if code not in AWAY or not isinstance(exc, OperationalError):
        return ""
    database = settings.DATABASES["default"]
    where = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    why = str(exc).partition("\n")[0].rpartition("failed: ")[2]
    return f"PostgreSQL can't be used at {where} ({why}): check DATABASE_URL, and that the server runs."


if __name__ == "__main__":
    sys.exit(main())
