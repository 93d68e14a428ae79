"""What does a tick of a large ad account cost? A full walk, a tick with nothing new and one with 5 % of the
ads edited, at both platforms.

Run: `python -m benchmarks.incremental_ticks [--campaigns 100] [--ad-groups 1000] [--ads 100000]`. The catalog
only, with authors asked for where they usually are; calls are counted by the sandbox.
"""

from functools import partial

from django.conf import settings

from benchmarks.harness.act import alone
from benchmarks.harness.cpu import Cpu
from benchmarks.harness.options import options
from benchmarks.harness.platform import NO_LIMIT, connect_new, use
from benchmarks.harness.product import forget_keys, ready_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.harness.rows import empty
from benchmarks.harness.syncs import ROOM, counted, sync
from providers.sandbox.process import Sandbox, start
from sync.ledger.scope import Scope
from sync.ledger.wishes import Wish, Wishes, only
from sync.models import Change, Connection, SyncRun
from sync.models.choices import Kind, Mode, Provider

EDITED = 20  # one ad of so many
FULL, TICK = (only(Wish(Kind.CAMPAIGNS, Scope(mode=mode))) for mode in (Mode.FULL, Mode.INCREMENTAL))
UNITS = ("calls", "seconds", "CPU seconds", "MB above an idle worker")


def main() -> None:
    asked = options(__doc__, campaigns=(100, 2), ad_groups=(1_000, 4), ads=(100_000, 40))
    report = Report("incremental_ticks")
    ready_database()
    settings.CONNECTION_WINDOWS = {"meta": ROOM, "google": ROOM}
    size = {"campaigns": asked.campaigns, "ad_groups": asked.ad_groups, "ads": asked.ads}
    with start("--no-recorded", "--meta-limit", NO_LIMIT, "--google-limit", NO_LIMIT) as sandbox:
        use(sandbox)
        sandbox.control("settings", google_change_delay=0)
        contenders = [Contender(one, partial(_measure, sandbox, one, size)) for one in Provider]
        found = interleave(contenders, rounds=asked.rounds)
    title = " / ".join(f"{count:,}" for count in size.values())
    for name in ("full walk", "idle tick", "5 % edited"):
        report.wide(f"{title}: {name}", {unit: found[f"{name}: {unit}"] for unit in UNITS})
    report.save()


def _measure(sandbox: Sandbox, provider: Provider, size: dict[str, int]) -> dict[str, float]:
    forget_keys()
    empty(slots=1, provider=provider)
    connection = connect_new(sandbox, provider, **size)
    full = _tick(sandbox, connection, "full walk", FULL)
    assert SyncRun.objects.latest("created_at").ads_count == size["ads"], "rows are missing"
    idle = _tick(sandbox, connection, "idle tick", TICK)
    assert not Change.objects.exists(), "something was new"
    edits = size["ads"] // EDITED
    sandbox.control("random-edits", platform=provider, account=connection.external_id, count=edits, seed=1)
    edited = _tick(sandbox, connection, "5 % edited", TICK)
    found = Change.objects.values("entity", "external_id").distinct().count()
    assert found >= edits * 0.9, f"{found} of {edits} edits arrived"  # some were edited to what they were
    return full | idle | edited


def _tick(sandbox: Sandbox, connection: Connection, name: str, wishes: Wishes) -> dict[str, float]:
    cpu, cost = Cpu(), list[tuple[float, float]]()
    calls = counted(
        sandbox, connection.provider, lambda: cost.append(alone(partial(sync, connection, wishes)))
    )
    [(seconds, memory)] = cost
    return {
        f"{name}: {unit}": figure
        for unit, figure in zip(UNITS, (calls, seconds, cpu.seconds(), memory), strict=True)
    }


if __name__ == "__main__":
    main()
