"""The referee counts exactly: held against a model that recounts everything at each call."""

from hypothesis import example, given
from hypothesis import strategies as st

from providers.sandbox.constants import Platform
from providers.sandbox.ledger import MICRO, Ledger, Limit, Subject, fullest

ACCOUNT = Subject(Platform.META, "1")
OTHER = Subject(Platform.META, "2")
APP = Subject(Platform.META, "")

# Whole milliseconds, and few of them, so that calls fall on the very edges of windows.
gaps = st.lists(st.integers(0, 7).map(lambda ms: ms / 1000), max_size=60)
limits = st.lists(
    st.builds(Limit, st.integers(0, 6), st.integers(1, 20).map(lambda ms: ms / 1000), st.just(0.0)),
    max_size=3,
)


class Clock:
    """Moves when told, by whole microseconds; stands where unix time does, for there a float has just those
    left, and a sum of floats would drift."""

    def __init__(self) -> None:
        self._micros = 1_793_491_200 * MICRO

    @property
    def now(self) -> float:
        return self._micros / MICRO

    @now.setter
    def now(self, seconds: float) -> None:
        self._micros = round(seconds * MICRO)

    def __call__(self) -> float:
        return self.now


def in_window(times: list[float], end: float, seconds: float) -> int:
    """The slow truth: how many lie in the half-open window that ends at `end`, to the microsecond."""
    return sum(0 <= round((end - time) * MICRO) < round(seconds * MICRO) for time in times)


@given(gaps, limits, limits)
def test_a_call_is_refused_exactly_when_a_window_is_full(
    gaps: list[float], account_limits: list[Limit], app_limits: list[Limit]
) -> None:
    clock = Clock()
    ledger = Ledger(clock)
    ledger.limits = {ACCOUNT: account_limits, APP: app_limits}
    accepted: list[float] = []

    for gap in gaps:
        clock.now += gap
        full = [
            limit
            for limit in account_limits + app_limits
            if in_window(accepted, clock.now, limit.seconds) >= limit.calls
        ]
        refusal = ledger.arrive([APP, ACCOUNT], "ads")
        assert (refusal is not None) == bool(full)
        if refusal is None:
            accepted.append(clock.now)
        else:
            assert refusal.limit in full


@given(gaps, limits)
@example([0.0] * 8 + [0.001, 0.0], [Limit(1, 0.018)])
def test_after_the_told_wait_the_refusing_window_has_room(
    gaps: list[float], given_limits: list[Limit]
) -> None:
    clock = Clock()
    ledger = Ledger(clock)
    ledger.limits = {ACCOUNT: [limit for limit in given_limits if limit.calls]}

    for gap in gaps:
        clock.now += gap
        refusal = ledger.arrive([ACCOUNT], "ads")
        if refusal is not None:
            clock.now += refusal.retry_after
            assert all(
                meter.used < meter.limit.calls
                for meter in ledger.meters(ACCOUNT)
                if meter.limit == refusal.limit
            )


@given(st.lists(st.integers(0, 7), max_size=60), st.integers(1, 20), st.integers(0, 6))
def test_the_highest_count_is_that_of_the_fullest_window(gaps: list[int], span: int, calls: int) -> None:
    times = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    held = [sum(end - span < time <= end for time in times[: n + 1]) for n, end in enumerate(times)]

    found = fullest(times, span, calls)

    assert found.highest == max(held, default=0)
    assert found.exceeded == sum(count > calls for count in held)


def test_refused_calls_show_in_the_highest_count() -> None:
    ledger = Ledger(Clock())
    ledger.account_limits[Platform.META] = [Limit(2, 60)]

    for _ in range(5):
        ledger.arrive([ACCOUNT], "ads")

    counts = ledger.counts(ACCOUNT)
    assert (counts["calls"], counts["refused"]) == (5, 3)
    assert ledger.fullest(ACCOUNT, Limit(2, 60)) == (5, 3)


def test_a_call_that_is_refused_after_all_takes_no_room() -> None:
    ledger = Ledger(Clock())
    ledger.limits = {ACCOUNT: [Limit(1, 60)]}

    for _ in range(3):
        assert ledger.arrive([ACCOUNT], "ads") is None
        ledger.take_back([ACCOUNT])

    assert ledger.counts(ACCOUNT)["refused"] == 3
    assert ledger.fullest(ACCOUNT, Limit(1, 60)).highest == 3


def test_a_refused_call_takes_nothing_from_any_window() -> None:
    clock = Clock()
    ledger = Ledger(clock)
    ledger.limits = {ACCOUNT: [Limit(1, 10)], APP: [Limit(3, 10)]}

    for _ in range(5):
        ledger.arrive([APP, ACCOUNT], "ads")

    assert ledger.arrive([APP, OTHER], "ads") is None
    assert [meter.used for meter in ledger.meters(APP)] == [2]


def test_whoever_asks_for_too_much_is_blocked_from_then_on() -> None:
    clock = Clock()
    ledger = Ledger(clock)
    ledger.limits = {ACCOUNT: [Limit(2, 10, block=60)]}

    outcomes = []
    for wait in (0, 0, 9, 20, 39.999, 0.001):
        clock.now += wait
        refusal = ledger.arrive([ACCOUNT], "ads")
        outcomes.append(refusal.retry_after if refusal else None)

    assert outcomes == [None, None, 60, 40, 0.001, None]


def test_later_pages_are_free() -> None:
    ledger = Ledger(Clock())
    ledger.account_limits[Platform.META] = [Limit(1, 60)]

    assert ledger.arrive([ACCOUNT], "search") is None
    assert ledger.arrive([ACCOUNT], "search", charged=False) is None

    counts = ledger.counts(ACCOUNT)
    assert (counts["calls"], counts["free"]) == (2, 1)
    assert ledger.fullest(ACCOUNT, Limit(9, 60)).highest == 1


def test_an_account_may_have_limits_of_its_own() -> None:
    ledger = Ledger(Clock())
    ledger.account_limits[Platform.META] = [Limit(1, 60)]
    ledger.limits[OTHER] = []

    outcomes = [ledger.arrive([subject], "ads") is None for subject in (ACCOUNT, ACCOUNT, OTHER, OTHER)]

    assert outcomes == [True, False, True, True]


def test_two_calls_a_window_apart_are_not_in_one_window() -> None:
    clock = Clock()
    ledger = Ledger(clock)
    ledger.limits = {ACCOUNT: [Limit(1, 10)]}

    assert ledger.arrive([ACCOUNT], "ads") is None
    clock.now += 9.999
    refusal = ledger.arrive([ACCOUNT], "ads")
    assert refusal
    assert refusal.retry_after == 0.001
    clock.now += 0.001
    assert ledger.arrive([ACCOUNT], "ads") is None
