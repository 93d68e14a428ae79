"""Read daily metrics of the past, and tell which days are there."""

from datetime import date
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from providers.records import Level
from sync.engine.insights.completeness import Completeness, completeness
from sync.ledger.scope import Scope
from sync.ledger.wishes import Wish, only
from sync.management.ask import answer, ask
from sync.management.command import AdTigerCommand, WrongUse, seconds
from sync.management.lookup import active_of, add_choice, chosen
from sync.management.output import add_json, print_json, print_table
from sync.management.wanted import check_days, day
from sync.models import Connection, InsightDay
from sync.models.choices import Kind, Priority

COLUMNS = ("level", "from", "to", "complete", "final", "missing", "rows", "gaps")
SHOWN_GAPS = 5


class Command(AdTigerCommand):
    help = (
        "Read daily metrics of the days from --from to --to, at most 37 months back, the newest month first. "
        "It is scheduled work, which lets people's syncs go first, and goes on in the background whatever "
        "becomes of this command; asked for again, it is joined, or goes on with what is missing or may "
        "still move. With --status, tell which days are there, by level, and which are missing."
    )
    examples = (
        "backfill --connection act_123 --from 2025-01-01 --to 2025-12-31 --wait",
        "backfill --account Acme --from 2026-01-01 --level account --level campaign",
        "backfill --connection act_123 --from 2026-06-01 --to 2026-06-30 --again",
        "backfill --connection act_123 --status",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_choice(parser)
        parser.add_argument("--from", type=day, metavar="DAY", help="the first day to read")
        parser.add_argument("--to", type=day, metavar="DAY", help="the last; without it, today")
        parser.add_argument(
            "--level",
            action="append",
            default=[],
            choices=[level.value for level in Level],
            help="only this level; repeatable",
        )
        parser.add_argument("--again", action="store_true", help="read final days once more, too")
        parser.add_argument("--status", action="store_true", help="read nothing: tell what is there")
        parser.add_argument("--wait", action="store_true", help="follow it to its end")
        parser.add_argument("--timeout", type=seconds, metavar="SECONDS", help="with --wait: give up waiting")
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        _check(options)
        if options["status"]:
            self._show(options)
        else:
            self._read(options)

    def _read(self, options: dict[str, Any]) -> None:
        connections = active_of(options)
        latest = max(connection.day_of(timezone.now()) for connection in connections)
        since, until = check_days(options["from"], options["to"] or max(options["from"], latest))
        levels = tuple(sorted(set(options["level"])))
        if options["again"]:
            _open_again(connections, levels, since, until)
        scope = Scope(levels=levels, date_from=since, date_to=until)
        asked = ask(connections, wishes=only(Wish(Kind.INSIGHTS, scope)), priority=Priority.SCHEDULED)
        answer(self, asked, options)

    def _show(self, options: dict[str, Any]) -> None:
        told: list[dict[str, Any]] = []
        for connection in chosen(options):
            until = options["to"] or connection.day_of(timezone.now())
            found = completeness(connection, options["from"], until)
            levels = [one for one in found if not options["level"] or one.level in options["level"]]
            if options["json"]:
                told.append({"connection": connection.external_id, "levels": [_json(one) for one in levels]})
            else:
                print_table(self, str(connection), COLUMNS, [_row(one) for one in levels])
        if options["json"]:
            print_json(self, {"connections": told})


def _check(options: dict[str, Any]) -> None:
    if not (options["connection"] or options["account"] or options["provider"]):
        raise WrongUse("Say of what: --connection, --account or --provider.")
    if options["status"]:
        if options["wait"] or options["again"]:
            raise WrongUse("--status reads nothing: leave out --wait and --again.")
        since, until = options["from"], options["to"]
        if since or until:
            check_days(since or min(until, timezone.now().date()), until or since)
    elif not options["from"]:
        raise WrongUse("--from: say from which day on; or --status, to see what is there.")
    if options["timeout"] and not options["wait"]:
        raise WrongUse("--timeout ends the waiting: give --wait, too.")


def _open_again(connections: list[Connection], levels: tuple[str, ...], since: date, until: date) -> None:
    """Let the days be read as if they could still move."""
    days = InsightDay.objects.filter(connection__in=connections, day__range=(since, until))
    (days.filter(level__in=levels) if levels else days).update(is_final=False)


def _row(one: Completeness) -> tuple[Any, ...]:
    gaps = [f"{since} to {until}" if since != until else str(since) for since, until in one.gaps]
    others = [f"and {len(gaps) - SHOWN_GAPS} more"] if len(gaps) > SHOWN_GAPS else []
    words = ", ".join([*gaps[:SHOWN_GAPS], *others])
    return one.level.value, one.since, one.until, one.complete, one.final, one.missing, one.rows, words


def _json(one: Completeness) -> dict[str, Any]:
    gaps = [{"from": since, "to": until} for since, until in one.gaps]
    return {**one._asdict(), "missing": one.missing, "gaps": gaps}
