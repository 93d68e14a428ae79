"""Reports of which the platform told that they ended: remembered for a while, for their run may be busy.

On the budgets' server, for it is a hint: one that is lost means that a report is looked at when that was
planned anyway. Each is good for one look, so a platform that tells too early costs one call.
"""

from collections.abc import Collection
from datetime import timedelta

import structlog
from redis.exceptions import RedisError

from sync.engine.platform import budget_store

logger = structlog.get_logger(__name__)

PREFIX = "adtiger:report"
KEPT = timedelta(hours=1)  # a report that takes half of it is given up


def remember(report_ids: Collection[str]) -> None:
    """These ended, well or badly."""
    try:
        with budget_store().client.pipeline(transaction=False) as pipeline:
            for report_id in report_ids:
                pipeline.set(_key(report_id), 1, ex=KEPT)
            pipeline.execute()
    except RedisError as exc:
        logger.warning("reports not remembered", reports=len(report_ids), error=type(exc).__name__)


def any_ended(report_ids: Collection[str]) -> bool:
    """Whether one of these is remembered."""
    try:
        return bool(report_ids) and budget_store().client.exists(*map(_key, report_ids)) > 0
    except RedisError:
        return False


def take(report_ids: Collection[str]) -> set[str]:
    """Those of these that ended; they are forgotten."""
    try:
        with budget_store().client.pipeline(transaction=False) as pipeline:
            for report_id in report_ids:
                pipeline.getdel(_key(report_id))
            found = pipeline.execute() if report_ids else []
    except RedisError:
        return set()
    return {report_id for report_id, told in zip(report_ids, found, strict=True) if told}


def _key(report_id: str) -> str:
    return f"{PREFIX}:{report_id}"
