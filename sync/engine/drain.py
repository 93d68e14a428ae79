"""A worker's loop: claim and execute until nothing is due, bounded in time so that it can be stopped."""

import time

from django.conf import settings

from sync.engine.collector import seldom_collecting
from sync.engine.execute import execute
from sync.engine.stopping import stop_asked
from sync.ledger.claim import another_kind_waits, claim
from sync.ledger.nudge import nudge, nudge_at
from sync.models.choices import DeferReason, Priority

OUTAGES = 2  # one may be a single ad account's; two in a row are the platform's


@seldom_collecting()
def drain(provider: str, region: str, *, worker: str) -> int:
    """Execute due runs, best first; returns how many. Leaves a new hint when its time is over.

    A platform that is down is left alone until the next hint: what waits keeps its place, instead of being
    started and deferred by the thousand. Not so where another kind waits, too: one endpoint may be down only.
    """
    done = outages = 0
    ends_at = time.monotonic() + settings.DRAIN_SECONDS

    def goes_on() -> bool:
        return not stop_asked() and time.monotonic() < ends_at

    run = claim(provider, region, worker=worker)
    while run:
        following = execute(run, goes_on=goes_on)
        done += 1
        if run.available_at:  # a retry in 2 s, or a budget that is free again: on time, not at the tick after
            nudge_at(provider, region, run.available_at)
        outages = outages + 1 if run.defer_reason == DeferReason.OUTAGE else 0
        if outages >= OUTAGES and not another_kind_waits(run):
            break
        if following is None:
            if not goes_on():
                nudge(provider, region, priority=Priority.SCHEDULED)
                break
            following = claim(provider, region, worker=worker)
        run = following
    return done
