"""The product's drain loop in processes of its own, as Celery's children run it when a hint came.

All wait until the last is ready, so that no start-up is measured.
"""

import multiprocessing
import multiprocessing.synchronize
from collections.abc import Callable

from django.db import connection

from benchmarks.harness.cpu import PATIENCE, Cpu, per_job
from benchmarks.harness.rows import META, REGION
from sync.engine.drain import drain
from sync.models import SyncAttempt
from sync.models.choices import Outcome

Prepare = Callable[[], None]
RATE = """
    WITH ends AS (SELECT ended_at AS at, row_number() OVER (ORDER BY ended_at) AS nth FROM sync_syncattempt)
    SELECT count(*) / extract(epoch FROM max(at) - (SELECT at FROM ends WHERE nth = %(warm)s))
    FROM ends WHERE nth > %(warm)s
"""


def measure(prepare: Prepare, *, processes: int, runs: int, warm: int) -> dict[str, float]:
    """Runs a second until nothing is due, and what one costs. `prepare` runs in each child first."""
    context = multiprocessing.get_context("fork")  # Django is loaded once
    start = context.Barrier(processes)
    children = [
        context.Process(target=_work, args=(prepare, start, f"bench-{number}"), daemon=True)
        for number in range(processes)
    ]
    cpu = Cpu()
    connection.close()  # or the children would share it
    for child in children:
        child.start()
    cost = per_job(
        cpu, _done, lambda: any(child.exitcode is None for child in children), warm=warm, jobs=runs
    )
    for child in children:
        child.join(PATIENCE)
    assert all(child.exitcode == 0 for child in children), "a drain failed; see above"
    with connection.cursor() as cursor:
        cursor.execute(RATE, {"warm": warm})
        return {"a second": float(cursor.fetchone()[0]), "CPU ms each": cost}


def _done() -> int:
    return SyncAttempt.objects.filter(outcome=Outcome.SUCCEEDED).count()


def _work(prepare: Prepare, start: multiprocessing.synchronize.Barrier, worker: str) -> None:
    prepare()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    start.wait(PATIENCE)
    while drain(META, REGION, worker=worker):
        pass  # its time was up; a hint would call it again
