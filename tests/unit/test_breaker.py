"""Which failures say that a platform is down, and what a call tells its circuit, without a server."""

from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from providers.breaker import EndpointBreaker
from providers.breaker.breaker import PATIENCE, says_down
from providers.breaker.circuits import BESIDE_PROBE_SECONDS, Circuits, Entry, Opened
from providers.errors import (
    AccessDenied,
    BudgetSpent,
    CircuitOpen,
    InvalidRequest,
    LimitReached,
    PlatformFault,
    ProviderError,
    ReconnectNeeded,
    Scope,
    TooMuchData,
    UnknownError,
    Unreachable,
)

DOWN = PlatformFault("down", http_status=503)
PASSES = Entry(None, must_tell=True)


class TellTale(Circuits):
    """Answers as told, and remembers what it is told of a call."""

    def __init__(self, entry: Entry = PASSES, opened: Opened | None = None) -> None:
        self.entry, self.opened = entry, opened
        self.told: list[str] = []

    def enter(self, name: str, ticket: str, who: str) -> Entry:
        return self.entry

    def failed(self, name: str, ticket: str, who: str, why: str) -> Opened | None:
        self.told.append(f"failed: {why}")
        return self.opened

    def answered(self, name: str, ticket: str, who: str) -> bool:
        self.told.append("answered")
        return False

    def release(self, name: str, ticket: str) -> None:
        self.told.append("released")


def call(circuits: Circuits, error: BaseException | None = None, *, answers_first: bool = False) -> None:
    """A watched call that ends with an error, or well."""
    with EndpointBreaker(circuits, "meta", "act_1", label="Meta").watching("campaigns") as answers:
        if answers_first:
            answers()
        if error is not None:
            raise error


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("no connection"),
        Unreachable("HTML", http_status=502),
        Unreachable("HTML where rows should be", http_status=200),
        PlatformFault("code 2", http_status=500),
        PlatformFault("UNAVAILABLE", http_status=503),
    ],
)
def test_a_platform_that_fails_or_is_away_is_down(error: ProviderError) -> None:
    assert says_down(error)


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("a proxy's page", http_status=407),
        PlatformFault("code 2", http_status=400),
        PlatformFault("one odd row"),
        TooMuchData("code 1: reduce the amount of data", http_status=500),
        LimitReached("spent", retry_after=60, scope=Scope.APP, http_status=503),
        ReconnectNeeded("190", http_status=500),
        AccessDenied("200", http_status=500),
        InvalidRequest("100", http_status=500),
        UnknownError("987654", http_status=400),
    ],
)
def test_a_platform_that_refuses_is_not_down(error: ProviderError) -> None:
    circuits = TellTale()

    with pytest.raises(type(error)):
        call(circuits, error)

    assert not says_down(error)
    assert circuits.told == ["answered" if error.http_status else "released"]


def test_a_shut_way_is_told_with_its_moment_and_nothing_is_called() -> None:
    circuits = TellTale(Entry(1234.0, must_tell=False))

    with pytest.raises(CircuitOpen, match=r"^Meta's campaigns do not answer$") as caught:
        call(circuits, AssertionError("called"))

    assert caught.value.retry_at == 1234.0
    assert circuits.told == []


def test_a_failure_before_the_circuit_opens_stays_what_it_is() -> None:
    with pytest.raises(PlatformFault):
        call(TellTale(opened=None), DOWN)


def test_the_failure_that_opens_the_circuit_is_a_deferral_and_not_the_next_to_try() -> None:
    with pytest.raises(CircuitOpen) as caught:
        call(TellTale(opened=Opened(until=1010.0, since=1000.0, by_this=True)), DOWN)

    assert caught.value.retry_at == 1010.0 + BESIDE_PROBE_SECONDS


def test_a_failure_that_meets_an_open_circuit_is_a_deferral() -> None:
    with pytest.raises(CircuitOpen) as caught:
        call(TellTale(opened=Opened(until=1010.0, since=1000.0, by_this=False)), DOWN)

    assert caught.value.retry_at == 1010.0


def test_what_is_down_for_a_day_is_no_outage_any_more() -> None:
    with pytest.raises(PlatformFault):
        call(TellTale(opened=Opened(until=1000.0 + PATIENCE, since=1000.0, by_this=True)), DOWN)


def test_a_good_beginning_counts_whatever_comes_after() -> None:
    circuits = TellTale()

    with pytest.raises(Unreachable):
        call(circuits, Unreachable("cut in the middle"), answers_first=True)

    assert circuits.told == ["answered"]


@pytest.mark.parametrize("error", [BudgetSpent("spent", retry_at=1.0), KeyboardInterrupt()])
def test_a_call_that_was_not_made_gives_its_way_back(error: BaseException) -> None:
    circuits = TellTale()

    with pytest.raises(type(error)):
        call(circuits, error)

    assert circuits.told == ["released"]


def test_a_call_with_no_failure_before_it_costs_one_question() -> None:
    circuits = TellTale(Entry(None, must_tell=False))

    call(circuits)

    assert circuits.told == []


@pytest.mark.parametrize("error", [None, DOWN])
def test_without_the_store_every_call_passes_and_fails_as_itself(error: ProviderError | None) -> None:
    class Away(TellTale):
        def __getattribute__(self, name: str) -> Any:
            if name in ("enter", "failed", "answered", "release"):
                raise RedisConnectionError
            return super().__getattribute__(name)

    if error is None:
        call(Away())
    else:
        with pytest.raises(PlatformFault):
            call(Away(), error)
