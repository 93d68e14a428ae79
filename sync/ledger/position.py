"""Where a waiting run stands in its queue, by the claim's own order."""

from django.db import connection as database

from sync.ledger.order import CLAIMABLE, ORDER, parameters
from sync.models import SyncRun
from sync.models.choices import RunState


def position(run: SyncRun) -> int | None:
    """1 for the run that starts next; None when it can't start: ended, running, deferred or held."""
    if run.state != RunState.QUEUED:
        return None
    with database.cursor() as cursor:
        cursor.execute(
            f"SELECT place FROM (SELECT run.id, row_number() OVER (ORDER BY {ORDER}) AS place "  # noqa: S608
            f"FROM {CLAIMABLE}) line WHERE id = %(run)s",
            {**parameters(run.provider, run.region), "run": run.pk},
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None
