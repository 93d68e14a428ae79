"""Whatever platforms say of their meters, each call is held back by what concerns it: as a model says."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.base import Reading, Usage
from providers.budget import BudgetGate, BudgetStore, Limit, Window
from providers.errors import BudgetSpent, LimitReached, Scope
from tests.integration.valkey_server import MICRO, SetClock, ValkeyServer

START = 1_800_000_000 * MICRO
DAY = 86_400
AD_ACCOUNTS, USE_CASES = ("act_1", "act_2"), ("", "ads_management", "ads_insights")
ROOMY = (Window(100_000, 1),)


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SetClock]:
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    with SetClock.from_url(server.url) as client:
        yield client
    server.close()


class Said(NamedTuple):
    """An answer to a call of an ad account: a meter, or a refusal where `percent` is None."""

    ad_account: str
    scope: Scope
    use_case: str
    percent: float | None
    span: float
    regain: float


class Wait(NamedTuple):
    """Time passes."""

    micros: int


def limits(ad_account: str, use_case: str) -> list[Limit]:
    own = Limit(ad_account, ad_account, ROOMY, Scope.AD_ACCOUNT)
    case = Limit(f"{ad_account}:{use_case}", f"{ad_account} ({use_case})", (), Scope.USE_CASE)
    return [own, *([case] if use_case else []), Limit("app", "Meta", (), Scope.APP)]


def parked_key(said: Said) -> str:
    return {Scope.APP: "app", Scope.AD_ACCOUNT: said.ad_account}.get(
        said.scope, f"{said.ad_account}:{said.use_case}"
    )


def rests(said: Said, reserve: float) -> Iterator[tuple[bool, float]]:
    """For whom (background work or everybody) and how long (seconds) what was said is a reason to rest."""
    if said.percent is None:
        yield False, said.regain
        return
    for background, percent in ((False, 99.0), (True, 100.0 * (1 - reserve))):
        if said.percent > percent or (said.percent == percent and not background):
            told = said.regain if said.percent >= 100 else 0
            yield background, told or max(60.0, said.span * (1 - percent / said.percent))


SCOPES = st.sampled_from(
    [
        (Scope.APP, ""),
        (Scope.AD_ACCOUNT, ""),
        (Scope.USE_CASE, "ads_management"),
        (Scope.USE_CASE, "ads_insights"),
    ]
)
SAID = st.builds(
    lambda ad_account, about, *figures: Said(ad_account, about[0], about[1], *figures),
    st.sampled_from(AD_ACCOUNTS),
    SCOPES,
    st.none() | st.sampled_from([0, 50, 79, 80, 81, 98, 99, 100, 101, 250]) | st.floats(0, 300),
    st.sampled_from([300, 3600]),
    st.sampled_from([0, 1, 60, 420, 3600, DAY, 10 * DAY]),
)
WAIT = st.builds(
    Wait, st.sampled_from([59, 60, 61, 300, 3600]).map(lambda s: s * MICRO) | st.integers(1, 10**9)
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(SAID | SAID | WAIT, min_size=1, max_size=15), reserve=st.sampled_from([0, 0.2, 0.5]))
def test_every_call_is_held_back_by_what_concerns_it_and_by_nothing_else(
    clock: SetClock, steps: list[Said | Wait], reserve: float
) -> None:
    clock.flushall()
    now = START
    clock.set_clock(now)
    store = BudgetStore(clock)
    store.refill([])
    parks: dict[tuple[str, bool], int] = {}

    def gate(ad_account: str, *, background: bool) -> BudgetGate:
        told = partial(limits, ad_account)
        return BudgetGate(store, told, background=background, reserve=reserve, call_seconds=1)

    # taken before all parks, for answers come late
    late = {ad_account: gate(ad_account, background=False) for ad_account in AD_ACCOUNTS}
    tickets = {ad_account: [late[ad_account].take() for _ in steps] for ad_account in AD_ACCOUNTS}
    for step in steps:
        if isinstance(step, Wait):
            now += step.micros
            clock.set_clock(now)
        else:
            hear(late[step.ad_account], tickets[step.ad_account].pop(), step)
            for background, seconds in rests(step, reserve):
                key = parked_key(step), background
                parks[key] = max(parks.get(key, 0), now + round(min(seconds, DAY) * MICRO))
        for ad_account in AD_ACCOUNTS:
            for use_case in USE_CASES:
                for background in (False, True):
                    kinds = (False, True) if background else (False,)
                    keys = [limit.key for limit in limits(ad_account, use_case)]
                    until = max(parks.get((key, kind), 0) for key in keys for kind in kinds)
                    assert refused_until(gate(ad_account, background=background), use_case) == (
                        until if until > now else None
                    )


def hear(through: BudgetGate, ticket: str, said: Said) -> None:
    """The gate is told, by an answer or by a refusal."""
    if said.percent is None:
        through.park(LimitReached("no", retry_after=said.regain, scope=said.scope, use_case=said.use_case))
        return
    reading = Reading(said.scope, said.percent, said.span, said.use_case, said.regain)
    through.settle(ticket, Usage((reading,)))


def refused_until(through: BudgetGate, use_case: str) -> int | None:
    try:
        through.settle(through.take(use_case), Usage())
    except BudgetSpent as exc:
        return round(exc.retry_at * MICRO)
    return None
