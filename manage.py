#!/usr/bin/env python
"""Django's command line for AdTiger: `python manage.py help` lists the commands."""

import os
import sys


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "adtiger.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line
    from django.db import OperationalError

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as exc:
        sys.stderr.write(f"AdTiger is not configured: {exc}\n")
    except OperationalError:
        sys.stderr.write(unreachable())
    else:
        return 0
    return 2


def unreachable() -> str:
    """Where the database was looked for, without the password."""
    from django.conf import settings

    database = settings.DATABASES["default"]
    where = f"{database['HOST']}:{database['PORT']}/{database['NAME']}"
    return f"PostgreSQL does not answer at {where}: check DATABASE_URL, and that the server runs.\n"


if __name__ == "__main__":
    sys.exit(main())
