"""Where a tiny run's processor time goes: part by part, the worker's, PostgreSQL's and Valkey's.

Run: `python -m benchmarks.tiny_parts [--runs 500] [--rounds 3]`. The runs are those of
`benchmarks.tiny_syncs`, made by one worker while nobody else works: what a server uses during a part is the
part's. PostgreSQL is the process that serves the worker; what writes its log and tidies up is not in it.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from unittest import mock

import redis
from django.db import connection

from benchmarks.harness import rows
from benchmarks.harness.options import options
from benchmarks.harness.parts import Part, Parts, opened
from benchmarks.harness.platform import Platform, open_platform
from benchmarks.harness.product import PRODUCT, forget_keys, ready_database, redis_url
from benchmarks.harness.report import Report
from benchmarks.tiny_syncs import CAMPAIGNS, SLOTS, TENANTS, only_campaigns
from sync.engine import drain as loop
from sync.engine.drain import drain
from sync.engine.execute import execute
from sync.models import Campaign, SyncRun

PARTS = (
    Part("end of the run and claim of the next, one commit", ["sync.engine.execute:succeed_and_claim"]),
    Part("what was claimed, as objects", ["sync.ledger.follow:loaded"]),
    Part("opening the client, token decrypted", ["sync.engine.execute:open_client"]),
    Part("the HTTP call", ["providers.http:send"]),
    Part("its body", ["providers.http:Answer.json"]),
    Part("what its headers say of limits", ["providers.http:Http.usage_of"]),
    Part("records out of the page", ["providers.meta.client:records_of"]),
    Part("budget: take", ["providers.budget.gate:BudgetGate.take"]),
    Part("budget: settle", ["providers.budget.gate:BudgetGate.settle"]),
    Part(
        "circuit breaker",
        ["providers.breaker.breaker:_Call.enter", "providers.breaker.breaker:_Call.answered"],
    ),
    Part(
        "chunk: lock and merge of five rows, last words and commit",
        ["sync.engine.copy:Merging", "sync.engine.copy:chunk"],
    ),
    Part("what was not seen", ["sync.engine.remove:_unseen"]),
    Part("checks of what was read", ["sync.engine.execute:discrepancies"]),
    Part("heartbeat: its thread", ["sync.engine.execute:Heartbeat"]),
    Part("log lines", ["sync.engine.execute:logger.info"]),
)
TOGETHER, ALL = "together", "a run"
WHOSE = ("worker", "PostgreSQL", "Valkey", TOGETHER)


def main() -> None:
    asked = options(__doc__, runs=(500, 40))
    report = Report("tiny_parts")
    ready_database()
    only_campaigns()
    with open_platform(accounts=asked.runs, campaigns=CAMPAIGNS) as platform:
        rounds = [_round(platform) for _ in range(asked.rounds)]
    dearest = sorted(rounds[-1], key=lambda part: -rounds[-1][part][TOGETHER])
    found = {whose: {part: [one[part][whose] for one in rounds] for part in dearest} for whose in WHOSE}
    report.wide("where a tiny run's time goes, CPU ms", found)
    report.save()


def _round(platform: Platform) -> dict[str, dict[str, float]]:
    """Milliseconds a run, by part and by whose they are."""
    runs, warm = len(platform.accounts), len(platform.accounts) // 10
    forget_keys()
    rows.empty(slots=SLOTS)
    rows.connections(platform.accounts, tenants=TENANTS, secret=platform.token)
    rows.queue_runs()
    with opened(_servers()) as clocks:
        parts = Parts(clocks, PARTS)
        with parts.watching(), _counting_behind(warm, parts):
            while drain(rows.META, rows.REGION, worker="bench"):
                pass  # its time was up; a hint would call it again
    assert Campaign.objects.count() == runs * CAMPAIGNS, "rows are missing"
    used = {part: [spent / 1e6 / (runs - warm) for spent in whose] for part, whose in parts.used.items()}
    used[ALL] = [sum(whose) for whose in zip(*used.values(), strict=True)]
    return {
        part: {whose: round(spent, 3) for whose, spent in zip(WHOSE, [*spents, sum(spents)], strict=True)}
        for part, spents in used.items()
    }


def _counting_behind(warm: int, parts: Parts) -> AbstractContextManager[object]:
    """The first ones prepare their statements, and are not counted."""
    begun = count()

    def executed(run: SyncRun, *, goes_on: Callable[[], bool]) -> SyncRun | None:
        if next(begun) == warm:
            parts.forget()
        return execute(run, goes_on=goes_on)

    return mock.patch.object(loop, "execute", executed)


def _servers() -> list[int]:
    """The processes that serve this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [postgres] = cursor.fetchone()
    return [postgres, int(redis.Redis.from_url(redis_url(PRODUCT)).info("server")["process_id"])]


if __name__ == "__main__":
    main()
