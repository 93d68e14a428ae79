"""Stop syncs: waiting ones at once, running ones when their page is stored."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandParser

from sync.ledger.cancel import cancel
from sync.management.command import AdTigerCommand, WrongUse
from sync.management.lookup import add_choice, as_uuid, chosen
from sync.management.operator import add_reason, operator
from sync.management.output import add_json, plain, print_json
from sync.models import SyncRequest, SyncRun
from sync.models.choices import RunState
from sync.models.run_queries import SyncRunQuerySet

WORDS = {
    "cancelled": "cancelled",
    "stopping": "is running; it ends when its page is stored",
    "ended": "had ended already",
}


class Command(AdTigerCommand):
    help = (
        "Stop syncs, by the id of a run or of a request, or all that wait or run of a connection, an account "
        "or a provider. Waiting ones end at once; running ones when their page is stored, and what they "
        "copied stays. What has ended already is left as it is, and that is no error."
    )
    examples = (
        "cancel 01a20dc0-ac9d-749e-b664-577b0df47475",
        'cancel --connection act_123 --reason "wrong campaigns"',
        "cancel --account Acme --provider google --json",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", nargs="*", metavar="id", help="of a run or of a request")
        add_choice(parser)
        add_reason(parser)
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        runs = _chosen(options)
        named = list(runs.select_related("connection")) if options["ids"] else []
        cancelled = {run.pk: run for run in cancel(runs, by=operator(), reason=options["reason"])}
        shown = named or list(SyncRun.objects.filter(pk__in=cancelled).select_related("connection"))
        told = [_describe(run, cancelled.get(run.pk)) for run in shown]
        if options["json"]:
            print_json(self, {"runs": told})
            return
        for run, each in zip(shown, told, strict=True):
            self.stdout.write(plain(f"{run.connection}, run {run.pk}: {WORDS[each['outcome']]}"))
        if not told:
            self.stdout.write("Nothing was waiting or running.")


def _describe(run: SyncRun, cancelled: SyncRun | None) -> dict[str, Any]:
    """`cancelled` is the run as it was when it was cancelled; None for one that had ended by then."""
    outcome = "ended"
    if cancelled is not None:
        outcome = "stopping" if cancelled.state == RunState.RUNNING else "cancelled"
    return {"id": str(run.pk), "connection": run.connection.external_id, "outcome": outcome}


def _chosen(options: dict[str, Any]) -> SyncRunQuerySet:
    by_option = options["connection"] or options["account"] or options["provider"]
    if options["ids"] and by_option:
        raise WrongUse("Give ids, or --connection, --account and --provider, but not both.")
    if options["ids"]:
        return SyncRun.objects.filter(pk__in=[pk for name in options["ids"] for pk in _runs(name)])
    if not by_option:
        raise WrongUse("Say what to cancel: ids, --connection, --account or --provider.")
    return SyncRun.objects.filter(connection__in=chosen(options).values("pk"))


def _runs(name: str) -> list[UUID]:
    """The run, or the runs of the request, that has this id."""
    found: list[UUID] = []
    if pk := as_uuid(name):
        request = SyncRequest.objects.filter(pk=pk).first()
        runs = SyncRun.objects.of_request(request) if request else SyncRun.objects.filter(pk=pk)
        found = list(runs.values_list("pk", flat=True))
    if not found:
        raise WrongUse(f"There is no run or request {name!r}. `queue` and `history` show the runs.")
    return found
