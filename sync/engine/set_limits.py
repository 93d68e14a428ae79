"""Set and clear call limits: the one way, for the admin and the command. Who and when is kept."""

from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models.functions import Now

from sync.engine.overrides import overrides
from sync.models import CallLimit
from sync.models.limit import CallLimitQuerySet


def set_limits(limits: Sequence[CallLimit], *, by: str) -> None:
    """Let new limits hold from now on, all or none, each in place of the one of its length.

    Raises `ValidationError` for a wrong one.
    """
    for limit in limits:
        limit.full_clean(validate_constraints=False)  # what holds already is replaced, and no obstacle
    with transaction.atomic():
        _one_at_a_time()
        for limit in limits:
            _end(CallLimit.objects.like(limit).filter(seconds=limit.seconds), by=by)
            limit.pk, limit.set_by = None, by
            limit.save(force_insert=True)
        transaction.on_commit(overrides().forget)


def clear_limits(limits: CallLimitQuerySet, *, by: str) -> list[CallLimit]:
    """Let these hold no longer, so that the defaults do; returns those that held."""
    with transaction.atomic():
        _one_at_a_time()
        ended = list(limits.holding().order_by("seconds"))
        _end(limits, by=by)
        transaction.on_commit(overrides().forget)
    return ended


def _end(limits: CallLimitQuerySet, *, by: str) -> None:
    limits.holding().update(ended_at=Now(), ended_by=by)


def _one_at_a_time() -> None:
    """Two people who set the same limit would both insert. Readers, the workers, do not wait."""
    with connection.cursor() as cursor:
        cursor.execute(f"LOCK TABLE {CallLimit._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
