"""Start a worker."""

import os
import shlex
import sys
from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError, CommandParser

from sync.health import MAINTENANCE
from sync.management.command import AdTigerCommand, count
from sync.models import queue_name
from sync.models.choices import Provider

WATCHED = ("adtiger", "sync", "providers")
MAINTENANCE_CHILDREN = 2  # a clean-up may take minutes, and the other one ticks meanwhile


class Command(AdTigerCommand):
    help = (
        "Start a Celery worker for one provider's queue, for maintenance, or for all. It takes the place of "
        "this process, so that signals reach it: SIGTERM lets it end the page that it reads."
    )
    examples = ("worker meta", "worker google --region eu --concurrency 2", "worker all --reload")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("queues", choices=[*Provider.values, MAINTENANCE, "all"], help="what it serves")
        parser.add_argument(
            "--concurrency",
            type=count,
            help="child processes (default: the provider's slots; 2 for maintenance)",
        )
        parser.add_argument("--region", default=settings.REGION, help="the region whose queues it serves")
        parser.add_argument(
            "--reload", action="store_true", help="start anew when the code changes, for development"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        serves, region = options["queues"], options["region"]
        served = [*Provider.values, MAINTENANCE] if serves == "all" else [serves]
        slots = options["concurrency"] or sum(
            settings.CONCURRENCY.get(name, MAINTENANCE_CHILDREN) for name in served
        )
        if options["reload"]:
            _replace_by(_reloading(serves, region, slots))
        queues = [name if name == MAINTENANCE else queue_name(name, region) for name in served]
        command = ["celery", "-A", "adtiger", "worker", "-Q", ",".join(queues)]
        command += ["--concurrency", str(slots), "-l", settings.LOG_LEVEL]
        # a name of its own per process, so that two on one machine are told apart
        command += ["-n", f"{serves}-{os.getpid()}@%h", "--without-gossip", "--without-mingle"]
        _replace_by(command)


def _reloading(serves: str, region: str, slots: int) -> list[str]:
    """The same worker as the child of a watcher, which starts it anew with the new code."""
    if find_spec("watchfiles") is None:
        raise CommandError("--reload needs watchfiles: `pip install -r requirements-dev.txt`.")
    again = [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker", serves]
    again += ["--region", region, "--concurrency", str(slots)]
    folders = [str(settings.BASE_DIR / name) for name in WATCHED]
    return ["watchfiles", "--filter", "python", shlex.join(again), *folders]


def _replace_by(module: list[str]) -> None:
    # Celery's remap to SIGQUIT would sleep through a fixed time, and then kill the page
    environment = {name: value for name, value in os.environ.items() if name != "REMAP_SIGTERM"}
    command = [sys.executable, "-m", *module]
    os.execve(sys.executable, command, environment)  # noqa: S606  (our own words; signals reach Celery)
