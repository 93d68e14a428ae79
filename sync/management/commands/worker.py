"""Start a worker."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from sync.models import queue_name
from sync.models.choices import Provider

MAINTENANCE = "maintenance"


class Command(BaseCommand):
    help = (
        "Start a Celery worker for one provider's queue, for maintenance, or for all. "
        "Examples: `worker meta`, `worker google --region eu`, `worker all`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queues", choices=[*Provider.values, MAINTENANCE, "all"], help="what it serves")
        parser.add_argument("--concurrency", type=int, help="child processes (default: the provider's slots)")
        parser.add_argument("--region", default=settings.REGION, help="the region whose queues it serves")

    def handle(self, *args: Any, **options: Any) -> None:
        served = [*Provider.values, MAINTENANCE] if options["queues"] == "all" else [options["queues"]]
        queues = [queue_name(name, options["region"]) if name != MAINTENANCE else name for name in served]
        concurrency = options["concurrency"] or sum(settings.CONCURRENCY.get(name, 1) for name in served)
        command = [sys.executable, "-m", "celery", "-A", "adtiger", "worker", "-Q", ",".join(queues)]
        command += ["--concurrency", str(concurrency), "-l", settings.LOG_LEVEL]
        # a name of its own per process, so that two on one machine are told apart
        command += ["-n", f"{options['queues']}-{os.getpid()}@%h", "--without-gossip", "--without-mingle"]
        # SIGTERM: end the page within the soft limit, then give the message back
        environment = {**os.environ, "REMAP_SIGTERM": "SIGQUIT"}
        os.execve(sys.executable, command, environment)  # noqa: S606  (our own words; signals reach Celery)
