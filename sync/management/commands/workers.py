"""Who is at work."""

import sys
from dataclasses import asdict
from typing import Any

from django.core.management.base import CommandParser

from sync.alive import Worker, last_tick, served_queues, tick_is_fresh, workers
from sync.health import MAINTENANCE, services
from sync.management.command import AdTigerCommand
from sync.management.output import add_json, ago, print_json, print_table, span
from sync.models import Queue, SyncRun


class Command(AdTigerCommand):
    help = (
        "Show the workers of the last day: who is alive, on which queues, doing what since when. "
        "Exit code 1 when nobody serves a queue, or the tick is silent."
    )
    examples = ("workers", "workers --json")

    def add_arguments(self, parser: CommandParser) -> None:
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        found, unserved, ticks = workers(), _unserved(), tick_is_fresh()
        if options["json"]:
            told = [_describe(worker) for worker in found]
            queues = [asdict(service) for service in services()]
            last = last_tick()
            print_json(
                self, {"workers": told, "queues": queues, "unserved": list(unserved), "last_tick": last}
            )
        else:
            self._print(found)
            self._print_services()
            for name, command in unserved.items():
                self._shout(f"Nobody serves {name}: start `manage.py {command}`.")
            if not ticks:
                self._shout("The tick is silent: start `manage.py beat` and `manage.py worker maintenance`.")
        if unserved or not ticks:
            sys.exit(1)

    def _print(self, found: list[Worker]) -> None:
        rows = (
            (
                worker.name,
                "alive" if worker.is_alive else "SILENT",
                ", ".join(worker.queues),
                worker.concurrency,
                ago(worker.seen_at),
                "; ".join(map(_doing, worker.runs)),
            )
            for worker in found
        )
        print_table(self, "Workers", ("name", "state", "queues", "children", "seen", "doing"), rows)

    def _print_services(self) -> None:
        rows = (
            (
                service.queue,
                service.workers,
                "" if service.oldest_due_seconds is None else span(service.oldest_due_seconds),
            )
            for service in services()
        )
        print_table(self, "Queues", ("name", "workers", "the oldest due sync waits"), rows)

    def _shout(self, words: str) -> None:
        self.stdout.write(self.style.ERROR(words))


def _unserved() -> dict[str, str]:
    """The queues that no living worker serves, each with the command that helps."""
    needed = {MAINTENANCE: f"worker {MAINTENANCE}"}
    for queue in Queue.objects.order_by("provider", "region"):
        elsewhere = "" if queue.region == "default" else f" --region {queue.region}"
        needed[queue.name] = f"worker {queue.provider}{elsewhere}"
    served = served_queues()
    return {name: command for name, command in needed.items() if name not in served}


def _doing(run: SyncRun) -> str:
    return f"{run.connection.external_id} {run.progress} %, started {ago(run.started_at)}"


def _describe(worker: Worker) -> dict[str, Any]:
    return {
        "name": worker.name,
        "alive": worker.is_alive,
        "queues": worker.queues,
        "concurrency": worker.concurrency,
        "started_at": worker.started_at,
        "seen_at": worker.seen_at,
        "runs": [
            {
                "id": str(run.pk),
                "connection": run.connection.external_id,
                "progress": run.progress,
                "since": run.started_at,
            }
            for run in worker.runs
        ],
    }
