"""Who is at work."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from sync.alive import Worker, last_tick, served_queues, tick_is_fresh, workers
from sync.management.output import add_json, ago, print_json, print_table
from sync.models import Queue


class Command(BaseCommand):
    help = (
        "Show the workers: who is alive, on which queues, doing what. Exit code 1 when a queue is served by "
        "nobody or beat is silent. Examples: `workers`, `workers --json`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        found, unserved = workers(), _unserved()
        if options["json"]:
            print_json(
                self,
                {
                    "workers": [_describe(worker) for worker in found],
                    "unserved": unserved,
                    "last_tick": last_tick(),
                },
            )
        else:
            self._print(found, unserved)
        if unserved or not tick_is_fresh():
            sys.exit(1)

    def _print(self, found: list[Worker], unserved: list[str]) -> None:
        rows = [
            (
                worker.name,
                "alive" if worker.is_alive else "SILENT",
                ", ".join(worker.queues),
                worker.concurrency,
                ago(worker.seen_at),
                "; ".join(f"{run.connection.external_id} {run.progress} %" for run in worker.runs),
            )
            for worker in found
        ]
        print_table(self, "Workers", ("name", "state", "queues", "children", "seen", "doing"), rows)
        for name in unserved:
            self.stdout.write(self.style.ERROR(f"Nobody serves {name}: start `manage.py worker`."))
        if not tick_is_fresh():
            self.stdout.write(
                self.style.ERROR(
                    "The tick is silent: start `manage.py beat` and `manage.py worker maintenance`."
                )
            )


def _unserved() -> list[str]:
    needed = {"maintenance", *(queue.name for queue in Queue.objects.all())}
    return sorted(needed - served_queues())


def _describe(worker: Worker) -> dict[str, Any]:
    return {
        "name": worker.name,
        "alive": worker.is_alive,
        "queues": worker.queues,
        "concurrency": worker.concurrency,
        "started_at": worker.started_at,
        "seen_at": worker.seen_at,
        "runs": [
            {"id": str(run.pk), "connection": run.connection.external_id, "since": run.started_at}
            for run in worker.runs
        ],
    }
