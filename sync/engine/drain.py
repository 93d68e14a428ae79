"""A worker's loop: claim and execute until nothing is due, bounded in time so that it can be stopped."""

import time

from django.conf import settings

from sync.engine.execute import execute
from sync.engine.stopping import stop_asked
from sync.ledger.claim import claim
from sync.ledger.nudge import nudge, nudge_at
from sync.models.choices import Priority


def drain(provider: str, region: str, *, worker: str) -> int:
    """Execute due runs, best first; returns how many. Leaves a new hint when it stops before the end."""
    done = 0
    ends_at = time.monotonic() + settings.DRAIN_SECONDS
    while run := claim(provider, region, worker=worker):
        execute(run)
        done += 1
        if run.available_at:  # a retry in 2 s, or a budget that is free again: on time, not at the tick after
            nudge_at(provider, region, run.available_at)
        if stop_asked() or time.monotonic() > ends_at:
            nudge(provider, region, priority=Priority.SCHEDULED)
            break
    return done
