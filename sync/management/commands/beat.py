"""Start Celery's beat."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Start Celery's beat, which sends the tick, the hourly syncs and the clean-up. Example: `beat`."

    def handle(self, *args: Any, **options: Any) -> None:
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "adtiger",
            "beat",
            "-l",
            settings.LOG_LEVEL,
            "--pidfile=",
        ]
        os.execv(sys.executable, command)  # noqa: S606  (our own words; signals reach Celery)
