"""Whole syncs in this process, and what the sandbox counted of them."""

import time
from collections import Counter
from collections.abc import Callable

from benchmarks.harness.rows import REGION
from providers.sandbox.process import Sandbox
from sync.engine.drain import drain
from sync.ledger.claim import promote_due
from sync.ledger.request import request_sync
from sync.ledger.wishes import Wishes
from sync.models import Connection, SyncRun
from sync.models.choices import RunState, Trigger

PATIENCE = 600  # seconds
ROOM = ((1_000_000, 60.0),)  # calls and seconds: none of the counts is one that a budget made


def sync(connection: Connection, wishes: Wishes) -> list[SyncRun]:
    """Ask for a sync as beat does, and work until it has ended; returns its runs, which succeeded."""
    connection.refresh_from_db()
    asked = request_sync(
        connection.account, [connection], trigger=Trigger.SCHEDULED, source="beat", wishes=wishes
    )
    runs = SyncRun.objects.filter(pk__in=[run.pk for run in asked.runs])
    ends_at = time.monotonic() + PATIENCE
    while True:
        drain(connection.provider, REGION, worker="bench")
        if not runs.open().exists():
            break
        promote_due(connection.provider, REGION)
        assert time.monotonic() < ends_at, list(runs.values_list("state", "waiting_for"))
        time.sleep(0.2)  # a report takes its seconds, and nobody asks after it before its time
    failed = runs.exclude(state=RunState.SUCCEEDED)
    assert not failed.exists(), list(failed.values_list("error_message"))
    return list(runs)


def counted(sandbox: Sandbox, provider: str, act: Callable[[], object]) -> int:
    """How many calls it makes at the platform."""
    before = _calls(sandbox, provider)
    act()
    made = _calls(sandbox, provider)
    made.subtract(before)
    return sum(made.values())


def _calls(sandbox: Sandbox, provider: str) -> Counter[str]:
    return Counter(sandbox.referee()["platforms"][provider]["endpoints"])
