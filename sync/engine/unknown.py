"""Count the errors whose codes our tables do not know, so that somebody hears of them and adds them."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from providers.errors import CircuitOpen, ProviderError
from sync.models import UnknownCode

logger = structlog.get_logger(__name__)


@contextmanager
def counting_unknown(provider: str) -> Iterator[None]:
    """Around a client's calls. Outside of a transaction: what it counts stays."""
    try:
        yield
    except ProviderError as exc:
        _count(provider, exc)
        raise
    except CircuitOpen as exc:
        if isinstance(exc.__cause__, ProviderError):
            _count(provider, exc.__cause__)
        raise


def _count(provider: str, exc: ProviderError) -> None:
    if exc.is_known:
        return
    status = exc.http_status or 0
    if UnknownCode.objects.record(provider, exc.platform_code, status, exc.trace_id):
        logger.warning(
            "unknown error code",
            provider=provider,
            platform_code=exc.platform_code,
            http_status=status,
            trace_id=exc.trace_id,
        )
