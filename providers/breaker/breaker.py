"""The breaker of one provider's clients: what they ask around each call."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from uuid import uuid4

from redis.exceptions import RedisError

from providers.breaker.circuits import BESIDE_PROBE_SECONDS, Circuits, Opened
from providers.errors import CircuitOpen, PlatformFault, ProviderError, Unreachable

logger = logging.getLogger(__name__)

# What is down for longer is no outage but a change (an ended version answers like this): failures use
# attempts then, so that the runs end and somebody hears of it.
PATIENCE = 86_400.0


class EndpointBreaker:
    """`providers.base.Breaker` over the shared circuits, for the calls of one ad account.

    `label` is the provider's name for people.
    """

    def __init__(self, circuits: Circuits, provider: str, ad_account: str, *, label: str) -> None:
        self._circuits = circuits
        self._provider = provider
        self._ad_account = ad_account
        self._label = label

    @contextmanager
    def watching(self, endpoint: str) -> Iterator[Callable[[], None]]:
        """Around one call and the reading of its answer; see `providers.base.Breaker`."""
        call = _Call(self._circuits, f"{self._provider}:{endpoint}", self._ad_account)
        reason = f"{self._label}'s {endpoint} do not answer"
        if (shut_until := call.enter()) is not None:
            raise CircuitOpen(reason, retry_at=shut_until)
        try:
            yield call.answered
        except ProviderError as exc:
            retry_at = call.failed(exc) if says_down(exc) else None
            if retry_at is None:
                call.answered() if exc.http_status else call.release()
                raise
            failure = exc
        except BaseException:  # a spent budget, a stop: nothing is known of the platform
            call.release()
            raise
        else:
            call.answered()
            return
        raise CircuitOpen(reason, retry_at=retry_at) from failure


class _Call:
    """One call's part in its circuit: told at most once, and nothing while the store is away."""

    def __init__(self, circuits: Circuits, name: str, ad_account: str) -> None:
        self._circuits = circuits
        self._name = name
        self._ad_account = ad_account
        self._ticket = uuid4().hex
        self._is_over = False
        self._must_tell = False

    def enter(self) -> float | None:
        """Until when the way is shut; None where it is free."""
        with suppress(RedisError):
            entry = self._circuits.enter(self._name, self._ticket, self._ad_account)
            self._must_tell = entry.must_tell
            return entry.shut_until
        return None

    def answered(self) -> None:
        """The platform answered; what happens to the rest of the answer does not take that back."""
        if self._is_over:
            return
        self._is_over = True
        with suppress(RedisError):
            if self._must_tell and self._circuits.answered(self._name, self._ticket, self._ad_account):
                logger.warning("circuit closed", extra={"circuit": self._name})

    def release(self) -> None:
        """Nothing was learnt."""
        with suppress(RedisError):
            if self._must_tell and not self._is_over:
                self._circuits.release(self._name, self._ticket)

    def failed(self, exc: ProviderError) -> float | None:
        """When to come back, where this failure meets an open circuit; None: it is an attempt's."""
        if self._is_over:
            return None
        self._is_over = True
        with suppress(RedisError):
            opened = self._circuits.failed(self._name, self._ticket, self._ad_account, str(exc))
            if opened is not None:
                return self._wait(opened, exc)
        return None

    def _wait(self, opened: Opened, exc: ProviderError) -> float | None:
        if not opened.by_this:
            return opened.until
        until = datetime.fromtimestamp(opened.until, UTC)
        facts = {"circuit": self._name, "until": until.isoformat(), "error": str(exc)}
        logger.warning("circuit open", extra=facts)
        # whose call failed is not the next to try: if its ad account is the cause, another closes the circuit
        return opened.until + BESIDE_PROBE_SECONDS if opened.until - opened.since < PATIENCE else None


def says_down(exc: ProviderError) -> bool:
    """Whether the platform, or the way to it, is down: not a limit, not a refusal, not one odd row."""
    if isinstance(exc, Unreachable):
        return exc.http_status is None or not 400 <= exc.http_status < 500
    return isinstance(exc, PlatformFault) and (exc.http_status or 0) >= 500
