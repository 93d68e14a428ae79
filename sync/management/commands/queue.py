"""What waits, what runs, and why."""

from typing import Any

import redis
from celery import current_app
from django.core.management.base import BaseCommand, CommandError, CommandParser
from kombu.exceptions import OperationalError

from sync.ledger.position import oldest_wait, positions
from sync.ledger.waiting import RELATED, waiting_for
from sync.management.output import add_json, print_json, print_table, span
from sync.models import Queue, SyncRun
from sync.models.choices import RunState

SHOWN = 50  # runs per list; the counts are of all


class Command(BaseCommand):
    help = (
        "Show each queue: runs that run, are due, or are deferred, and what they wait for. "
        "Examples: `queue`, `queue --provider meta`, `queue --json`, `queue --broker`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", help="only this provider's")
        parser.add_argument("--broker", action="store_true", help="ping the broker and count its messages")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        queues = Queue.objects.order_by("provider", "region")
        if options["provider"]:
            queues = queues.filter(provider=options["provider"])
        told = [_describe(queue, broker=options["broker"]) for queue in queues]
        if options["json"]:
            print_json(self, {"queues": told})
            return
        if not told:
            self.stdout.write("No sync was asked for yet.")
        for queue in told:
            self._print(queue)

    def _print(self, queue: dict[str, Any]) -> None:
        title = (
            f"{queue['name']}: {queue['running']} of {queue['slots']} slots busy, {queue['queued']} due, "
            f"{queue['deferred']} deferred"
        )
        if queue["paused"]:
            title += ", PAUSED"
        if queue["oldest_wait_seconds"]:
            title += f", the oldest waits {span(queue['oldest_wait_seconds'])}"
        if queue["messages"] is not None:
            title += f", {queue['messages']} messages at the broker"
        rows = [
            (
                run["state"],
                run["position"],
                run["account"],
                run["connection"],
                run["progress"],
                run["waiting_for"],
            )
            for run in queue["runs"]
        ]
        columns = ("state", "place", "account", "ad account", "%", "waits for")
        print_table(self, title, columns, rows)


def _describe(queue: Queue, *, broker: bool) -> dict[str, Any]:
    runs = SyncRun.objects.filter(provider=queue.provider, region=queue.region)
    by_state = {
        state: runs.filter(state=state) for state in (RunState.RUNNING, RunState.QUEUED, RunState.DEFERRED)
    }
    shown = [
        run
        for state, order in (
            (RunState.RUNNING, "started_at"),
            (RunState.QUEUED, "queued_at"),
            (RunState.DEFERRED, "available_at"),
        )
        for run in by_state[state].select_related("account", *RELATED).order_by(order)[:SHOWN]
    ]
    places, words = positions(shown), waiting_for(shown)
    wait = oldest_wait(queue.provider, queue.region)
    return {
        "name": queue.name,
        "provider": queue.provider,
        "region": queue.region,
        "slots": queue.concurrency,
        "paused": queue.paused_at is not None,
        **{str(state): found.count() for state, found in by_state.items()},
        "oldest_wait_seconds": wait.total_seconds() if wait else None,
        "messages": _messages(queue.name) if broker else None,
        "runs": [
            {
                "id": str(run.pk),
                "state": run.state,
                "position": places.get(run.pk),
                "account": run.account.name,
                "connection": run.connection.external_id,
                "trigger": run.trigger,
                "progress": run.progress,
                "stage": run.stage,
                "available_at": run.available_at,
                "waiting_for": words.get(run.pk, ""),
            }
            for run in shown
        ],
    }


def _messages(name: str) -> int:
    """Messages waiting at the broker, in all priorities."""
    try:
        with current_app.connection_for_read() as broker:
            channel: Any = broker.default_channel  # the stubs know no queues
            return int(channel.queue_declare(queue=name).message_count)
    except (OperationalError, redis.RedisError, OSError):
        raise CommandError("The broker does not answer: check CELERY_BROKER_URL, and that it runs.") from None
