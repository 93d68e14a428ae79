#!/usr/bin/env python
"""Django's command line for AdTiger: `python manage.py help` lists the commands."""

import os
import sys


def main() -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "adtiger.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as exc:
        sys.stderr.write(f"AdTiger is not configured: {exc}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
