"""Count what a run's answers hold that this version does not know, so that somebody hears of it."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from providers.drift import DriftKind, Oddity, listening, tell
from providers.errors import FieldGone, VersionEnded
from sync.models import Drift

logger = structlog.get_logger(__name__)


@contextmanager
def counting_drift(provider: str) -> Iterator[None]:
    """Around a client's calls. Outside of a transaction: what it counts stays, however the run ends."""
    with listening() as heard:
        try:
            yield
        except FieldGone as exc:
            tell(DriftKind.FIELD, "asked for", exc.field or exc.platform_code)
            raise
        except VersionEnded as exc:
            tell(DriftKind.VERSION, "ended", exc.platform_code)
            raise
        finally:
            _keep(provider, heard)


def _keep(provider: str, heard: Counter[Oddity]) -> None:
    if not heard:
        return
    for new in Drift.objects.record(provider, heard):
        logger.warning("schema drift", provider=provider, kind=new.kind, place=new.place, value=new.value)
