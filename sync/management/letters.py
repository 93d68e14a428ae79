"""Which dead letters an operator means, and how one or a cause is told."""

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from sync.ledger.dead_letters import Cause, NotADeadLetter, check_dead
from sync.management.command import WrongUse, seconds
from sync.management.lookup import add_choice, chosen, find_run
from sync.models import SyncRun
from sync.models.run_queries import SyncRunQuerySet

FILTERS = ("cause", "since", "connection", "account", "provider")


def add_letters(parser: CommandParser) -> None:
    """The arguments that choose dead letters; together they narrow the choice."""
    parser.add_argument("ids", nargs="*", metavar="id", help="of runs, to show, replay or resolve")
    parser.add_argument(
        "--cause",
        action="append",
        default=[],
        metavar="WORD",
        help="a category, an error code or a platform's code; repeated: all of them",
    )
    parser.add_argument("--since", type=seconds, metavar="HOURS", help="only failures of the last HOURS")
    add_choice(parser)
    parser.add_argument("--all", action="store_true", help="replay or resolve every dead letter")


def check(options: dict[str, Any]) -> None:
    """That it is said which ones are meant, and said once."""
    action, ids, everything = options["action"], options["ids"], options["all"]
    narrowed = any(options[name] for name in FILTERS)
    if ids and action in ("causes", "list"):
        raise WrongUse(f"{action} takes no ids: leave them out, or use show.")
    if action == "show" and not ids:
        raise WrongUse("Say which to show, by id; `dead_letters list` has the ids.")
    if bool(ids) + everything + narrowed > 1:
        raise WrongUse("Give ids, or --all, or what narrows the choice, but only one of these.")
    if action in ("replay", "resolve") and not (ids or everything or narrowed):
        options_of = ", ".join(f"--{name}" for name in FILTERS)
        raise WrongUse(f"Say what to {action}: ids, {options_of} or --all.")


def chosen_letters(options: dict[str, Any]) -> SyncRunQuerySet:
    """Runs that may be dead letters, except by id: those are, or nothing is done."""
    if options["ids"]:
        return SyncRun.objects.filter(pk__in=[_dead(name).pk for name in options["ids"]])
    runs = SyncRun.objects.caused_by(*options["cause"])
    if options["connection"] or options["account"] or options["provider"]:
        runs = runs.filter(connection__in=chosen(options).values("pk"))
    if options["since"]:
        runs = runs.filter(finished_at__gt=timezone.now() - timedelta(hours=options["since"]))
    return runs


def _dead(name: str) -> SyncRun:
    run = find_run(name, "id")
    try:
        check_dead(run)
    except NotADeadLetter as exc:
        raise CommandError(f"{exc} Nothing was changed.") from None
    return run


def describe_cause(cause: Cause) -> dict[str, Any]:
    """One cause, with the newest dead letter's words for all."""
    return {
        "number": cause.number,
        "category": cause.category,
        "code": cause.code,
        "platform_code": cause.platform_code,
        "accounts": cause.accounts,
        "oldest": cause.oldest,
        "newest": cause.newest,
        "example": str(cause.example.pk),
        "trace_id": cause.example.trace_id,
        "message": cause.example.error_message,
    }


def describe_letter(run: SyncRun) -> dict[str, Any]:
    """One dead letter, with what the platform's support asks for."""
    return {
        "id": str(run.pk),
        "account": run.account.name,
        "connection": f"{run.provider} {run.connection.external_id}",
        "kind": run.kind,
        "trigger": run.trigger,
        "finished_at": run.finished_at,
        "category": run.error_category,
        "code": run.error_code,
        "platform_code": run.platform_code,
        "trace_id": run.trace_id,
        "message": run.error_message,
        "failed_attempts": run.failed_attempts,
    }
