"""Start Celery's beat."""

import os
import sys
from typing import Any

from django.conf import settings

from sync.management.command import AdTigerCommand

BEAT = ("celery", "-A", "adtiger", "beat", "--pidfile=")  # no pid file: a killed beat's would stop the next


class Command(AdTigerCommand):
    help = (
        "Start Celery's beat, which sends the tick, the hourly syncs and the clean-up. It takes the place "
        "of this process. One is enough; a second does no harm."
    )
    examples = ("beat",)

    def handle(self, *args: Any, **options: Any) -> None:
        command = [sys.executable, "-m", *BEAT, "-l", settings.LOG_LEVEL]
        os.execv(sys.executable, command)  # noqa: S606  (our own words; signals reach Celery)
