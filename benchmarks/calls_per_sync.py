"""How many calls a sync makes, counted by the sandbox: first, idle, and with 1 % edited; beside tap-facebook.

Run: `python -m benchmarks.calls_per_sync [--campaigns 50] [--ad-groups 200] [--ads 1000] [--tap 1]`.
Everything is a count, so one round tells it. `--tap 0` leaves tap-facebook out, which takes hours for an
account of 20,000 ads.
"""

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from benchmarks.harness.options import options
from benchmarks.harness.platform import NO_LIMIT, connect_new, use
from benchmarks.harness.product import forget_keys, ready_database
from benchmarks.harness.report import Report
from benchmarks.harness.rows import empty
from benchmarks.harness.syncs import ROOM, counted, sync
from benchmarks.peers import formulas, packages
from benchmarks.peers.formulas import Size
from benchmarks.peers.walk import Walk
from providers.records import Level
from providers.sandbox.process import Sandbox, start
from sync.ledger import wishes
from sync.ledger.scope import Scope
from sync.ledger.wishes import Wish, Wishes
from sync.models import Connection
from sync.models.choices import Kind, Mode

REPORT_SECONDS = 20  # of a report run: as long as short ones take
SYNCS = ("first sync", "idle tick", "tick with 1 % edited")


def main() -> None:
    asked = options(__doc__, campaigns=(50, 2), ad_groups=(200, 8), ads=(1_000, 40), days=(30, 3), tap=(1, 1))
    report = Report("calls_per_sync")
    ready_database()
    size = Size(asked.campaigns, asked.ad_groups, asked.ads, asked.days)
    settings.INSIGHTS_FIRST_DAYS = asked.days
    settings.CONNECTION_WINDOWS = {"meta": ROOM, "google": ROOM}
    limits = ("--meta-limit", NO_LIMIT, "--google-limit", NO_LIMIT)
    with start("--no-recorded", *limits) as sandbox:
        use(sandbox)
        for provider in ("meta", "google"):
            _compare(report, sandbox, provider, size, with_tap=bool(asked.tap))
    report.save()


def _compare(report: Report, sandbox: Sandbox, provider: str, size: Size, *, with_tap: bool) -> None:
    figures = {
        "AdTiger, metrics of all four levels": _adtiger(sandbox, provider, size, wishes.of_schedule),
        "AdTiger, metrics of ads only": _adtiger(sandbox, provider, size, _of_ads(size)),
    }
    if provider == "meta":
        if with_tap and packages.installed("tap", "singer/tap.txt"):
            figures["tap-facebook, run"] = _tap(sandbox, size)
        figures |= _computed(size)
    shape = f"{provider}: {size.campaigns:,} / {size.ad_groups:,} / {size.ads:,}, {size.days} days"
    rows = [[name, *(f"{count:,}" if count else "-" for count in counts)] for name, counts in figures.items()]
    report.table([shape, *SYNCS], rows, figures)


def _computed(size: Size) -> dict[str, list[int]]:
    return {
        "Airbyte, computed": [formulas.airbyte(size), 0, 0],
        "dlt facebook_ads, computed": [formulas.dlt(size), 0, 0],
        "the floor for metrics of ads, computed": [formulas.floor(size), formulas.floor_of_tick(size), 0],
    }


def _of_ads(size: Size) -> Wishes:
    """What the others read: entities, and one level's metrics."""

    def of(connection: Connection) -> list[Wish]:
        is_first = connection.last_full_sync_at is None
        today = timezone.localdate()
        since = today - timedelta(days=(size.days if is_first else min(3, size.days)) - 1)
        mode = Mode.FULL if is_first else Mode.INCREMENTAL
        metrics = Scope(levels=(Level.AD,), date_from=since, date_to=today)
        return [Wish(Kind.CAMPAIGNS, Scope(mode=mode)), Wish(Kind.INSIGHTS, metrics)]

    return of


def _adtiger(sandbox: Sandbox, provider: str, size: Size, wish: Wishes) -> list[int]:
    forget_keys()
    empty(slots=1)
    sandbox.control("settings", meta_report_seconds=REPORT_SECONDS)
    connection = connect_new(sandbox, provider, *size[:3])
    return _three(sandbox, provider, connection.external_id, size, lambda: sync(connection, wish))


def _tap(sandbox: Sandbox, size: Size) -> list[int]:
    """Its reports are ready at the first look, so that nobody's sleep is waited for: one poll each."""
    sandbox.control("settings", meta_report_seconds=0)
    packages.forget_tap()
    opened = connect_new(sandbox, "meta", *size[:3])
    walk = Walk(sandbox.url, opened.credential.secret, opened.external_id)
    since = str(timezone.localdate() - timedelta(days=size.days - 1))
    return _three(sandbox, "meta", walk.account, size, lambda: packages.tap_calls(walk, since=since))


def _three(sandbox: Sandbox, provider: str, account: str, size: Size, act: Callable[[], object]) -> list[int]:
    counts = [counted(sandbox, provider, act), counted(sandbox, provider, act)]
    edited = max(1, sum(size[:3]) // 100)
    sandbox.control("random-edits", platform=provider, account=account, count=edited, seed=1)
    return [*counts, counted(sandbox, provider, act)]


if __name__ == "__main__":
    main()
