"""What waits, what runs, and why."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from sync.alive import workers_by_queue
from sync.engine.forecast import Forecast, forecasts, with_budgets
from sync.google.day import google_day
from sync.health import MAINTENANCE
from sync.ledger.position import oldest_wait, positions
from sync.ledger.waiting import RELATED, waiting_for
from sync.management.broker import BrokerState, broker_state
from sync.management.command import AdTigerCommand, WrongUse
from sync.management.lookup import find_queues
from sync.management.output import add_json, print_json, print_table, span
from sync.models import Queue, SyncRun
from sync.models.choices import Provider, RunState
from sync.outages import outages

SHOWN = 50  # runs of each state; the counts are of all
MOST_SLOTS = 32_767  # what the column holds
OLDEST = {RunState.RUNNING: "started_at", RunState.QUEUED: "queued_at", RunState.DEFERRED: "available_at"}


class Command(AdTigerCommand):
    help = (
        "Show each queue: the runs that run, are due or are deferred, their places, and what they wait for "
        "until when; and which endpoints of the platforms are down. "
        f"Shown are the oldest {SHOWN} of each kind, counted are all."
    )
    examples = ("queue", "queue --provider meta", "queue --provider meta --slots 5", "queue --json --broker")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", choices=Provider.values)
        parser.add_argument(
            "--slots", type=int, metavar="N", help="run so many at once from now on; needs --provider"
        )
        parser.add_argument("--region", help="of --slots, where a provider has several")
        parser.add_argument("--broker", action="store_true", help="ping the broker and count its messages")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        queues = Queue.objects.order_by("provider", "region")
        if options["provider"]:
            queues = queues.filter(provider=options["provider"])
        if options["slots"] is not None:
            self._set_slots(options)
        broker = broker_state([*(queue.name for queue in queues), MAINTENANCE]) if options["broker"] else None
        serving = workers_by_queue()
        told = [_describe(queue, serving[queue.name]) for queue in queues]
        if options["json"]:
            print_json(self, {"queues": told, "broker": broker})
            return
        if broker:
            self._print_broker(broker)
        if not told:
            self.stdout.write("No sync was asked for yet.")
        for queue in told:
            self._print(queue)

    def _set_slots(self, options: dict[str, Any]) -> None:
        slots = options["slots"]
        if not options["provider"]:
            raise WrongUse("--slots needs --provider: whose slots?")
        if not 1 <= slots <= MOST_SLOTS:
            raise WrongUse(
                f"--slots must be from 1 to {MOST_SLOTS}, not {slots}. To start nothing, pause the queue."
            )
        queues = find_queues(options["provider"], options["region"])
        if len(queues) > 1:
            regions = ", ".join(queue.region for queue in queues)
            raise WrongUse(
                f"--slots: {options['provider']} has several queues. Give one --region of {regions}."
            )
        Queue.objects.filter(pk=queues[0].pk).update(concurrency=slots)

    def _print_broker(self, broker: BrokerState) -> None:
        counts = ", ".join(f"{name} {number}" for name, number in broker.messages.items())
        self.stdout.write(f"The broker answers in {broker.ping_ms:.1f} ms. Its messages: {counts}.")

    def _print(self, queue: dict[str, Any]) -> None:
        for note in queue["notes"]:
            self.stdout.write(note)
        title = (
            f"{queue['name']}: {queue['running']} of {queue['slots']} slots busy, {queue['queued']} due, "
            f"{queue['deferred']} deferred"
        )
        if queue["paused"]:
            title += f", PAUSED{queue['pause_note']}"
        if queue["oldest_wait_seconds"]:
            title += f", the oldest waits {span(queue['oldest_wait_seconds'])}"
        if not queue["workers"]:
            self.stdout.write(self.style.ERROR(f"No worker serves the queue {queue['name']}."))
        fields = (
            *("state", "position", "account", "connection", "progress", "available_at"),
            *("estimated_start_at", "waiting_for"),
        )
        columns = ("state", "place", "account", "ad account", "%", "due (UTC)", "starts about", "waits for")
        for outage in queue["outages"]:
            self.stdout.write(self.style.ERROR(str(outage)))
        print_table(self, title, columns, ([run[field] for field in fields] for run in queue["runs"]))


def _describe(queue: Queue, workers: int) -> dict[str, Any]:
    runs = SyncRun.objects.filter(provider=queue.provider, region=queue.region)
    shown = [
        run
        for state, order in OLDEST.items()
        for run in runs.filter(state=state).select_related("account", *RELATED).order_by(order)[:SHOWN]
    ]
    places = positions(shown)
    told = forecasts(shown, places)
    words = with_budgets(waiting_for(shown), told)
    shown.sort(key=lambda run: (list(OLDEST).index(RunState(run.state)), places.get(run.pk, float("inf"))))
    wait = oldest_wait(queue.provider, queue.region)
    return {
        "name": queue.name,
        "provider": queue.provider,
        "region": queue.region,
        "slots": queue.concurrency,
        "workers": workers,
        "paused": queue.paused_at is not None,
        "pause_note": queue.pause_note,
        **{str(state): runs.filter(state=state).count() for state in OLDEST},
        "notes": _notes(queue),
        "oldest_wait_seconds": wait.total_seconds() if wait else None,
        "outages": outages(queue.provider),
        "runs": [_line(run, places, words, told.get(run.pk)) for run in shown],
    }


def _notes(queue: Queue) -> list[str]:
    """What holds the whole queue back, beside a pause."""
    day = google_day() if queue.provider == Provider.GOOGLE else None
    return day.sentences if day else []


def _line(
    run: SyncRun, places: dict[UUID, int], words: dict[UUID, str], forecast: Forecast | None
) -> dict[str, Any]:
    return {
        "id": str(run.pk),
        "state": run.state,
        "position": places.get(run.pk),
        "account": run.account.name,
        "connection": run.connection.external_id,
        "trigger": run.trigger,
        "progress": run.progress,
        "stage": run.stage,
        "available_at": run.available_at,
        "estimated_start_at": forecast.starts_at if forecast else None,
        "estimated_end_at": forecast.ends_at if forecast else None,
        "defer_reason": run.defer_reason,
        "waiting_for": words.get(run.pk, ""),
    }
