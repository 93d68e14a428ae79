"""A worker as it is in production, `manage.py worker meta`, ready to take hints."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.harness.process import Process
from benchmarks.harness.rows import META, REGION
from sync.ledger.nudge import nudge
from sync.models import Pulse
from sync.models.choices import Priority

PATIENCE = 120  # seconds that one thing may take on a busy machine


@contextmanager
def worker(*, processes: int, **environment: str) -> Iterator[Process]:
    """For the length of a `with` block; it has no work until a hint comes."""
    Pulse.objects.all().delete()
    command = [sys.executable, "manage.py", "worker", "meta", "--concurrency", str(processes)]
    with Process("worker", command, environment=environment) as running:
        until(Pulse.objects.exists, what="the worker")
        yield running


def send_hints(number: int) -> None:
    """As many as there are slots: what the requests themselves would have sent."""
    for _ in range(number):
        nudge(META, REGION, priority=Priority.SCHEDULED)


def until(holds: Callable[[], bool], *, what: str) -> None:
    """Look until it holds; fail with `what` when it does not in time."""
    ends_at = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > ends_at:
            raise TimeoutError(f"{what} was waited for in vain for {PATIENCE} s")
        time.sleep(0.02)  # the figures come from the rows' own times, so this need not be exact
