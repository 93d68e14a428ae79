"""The ledger of Google's operations agrees with a slow exact model, whatever is taken and waited for."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from django.db import transaction
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from providers.errors import BudgetSpent
from sync.google.operations import SYNC_OPERATIONS, Operations
from sync.google.quota import Quota
from sync.models import Account, GoogleProject
from sync.models.google import DAY
from tests.factories import make_account
from tests.integration.database_clock import DatabaseClock

START = datetime(2030, 1, 1, 12, 0, 17, tzinfo=UTC)  # ahead of the process's clock, as all retries are
MINUTE = timedelta(minutes=1)
MICRO = timedelta(microseconds=1)
CALL = timedelta(seconds=35)
LIMIT = 10
WEIGHTS = (1, 1, 2)


class Call(NamedTuple):
    """One call as the model knows it: never rounded down, never forgotten."""

    account: int
    taken_at: datetime
    arrived_at: datetime
    until: datetime


class Trial:
    """The ledger and the model side by side."""

    def __init__(self, accounts: list[Account]) -> None:
        self.clock, self.now, self.free_at = DatabaseClock(), START, START
        self.clock.set(START)
        self.accounts = accounts
        self.calls: list[Call] = []
        GoogleProject.objects.create(name="7", weights=sum(WEIGHTS))

    def take(self, who: int, background: bool, percent: int) -> None:
        """A call that reaches Google so much of the way through its longest time."""
        ledger, quota = self._ledger(who, background), self._quota(who, background)
        allowed = self._allows(quota, who, self.now, calls=1)
        try:
            ledger.take("ticket")
        except BudgetSpent as exc:
            assert not allowed
            self.free_at = datetime.fromtimestamp(exc.retry_at, UTC)
            assert self.free_at == self._free_at(quota, who)
        else:
            assert allowed
            arrived_at = self.now + CALL * percent / 100
            self.calls.append(Call(who, self.now, arrived_at, _minute_end(self.now + CALL)))

    def take_and_give_back(self, who: int, background: bool) -> None:
        """A window has no room for the call, which is not made."""
        if self._allows(self._quota(who, background), who, self.now, calls=1):
            ledger = self._ledger(who, background)
            ledger.take("ticket")
            ledger.give_back("ticket")

    def wait(self, span: timedelta) -> None:
        self.now += span
        self.clock.set(self.now)

    def come_back(self) -> None:
        """As soon as the last refusal said."""
        self.wait(max(timedelta(0), self.free_at - self.now))

    def _ledger(self, who: int, background: bool) -> Operations:
        return Operations("7", self.accounts[who], self._quota(who, background), background)

    def _quota(self, who: int, background: bool) -> Quota:
        reserve = 0.2 if background else 0.0
        return Quota.of(
            LIMIT, reserve=reserve, weight=WEIGHTS[who], weights=sum(WEIGHTS), scheduled=4, own=who
        )

    def _allows(self, quota: Quota, who: int, at: datetime, *, calls: int) -> bool:
        """Whether so many more are allowed at that moment; as many as it ever allows, at most."""
        counted = [call for call in self.calls if call.until > at - DAY]
        mine = sum(call.account == who for call in counted)
        within_share = mine + min(calls, quota.share) <= quota.share
        lent = (
            len(counted) + min(calls, quota.lent) <= quota.lent
            and mine + min(calls, quota.utmost) <= quota.utmost
        )
        return len(counted) + min(calls, quota.most) <= quota.most and (within_share or lent)

    def _free_at(self, quota: Quota, who: int) -> datetime:
        moments = sorted(call.until + DAY for call in self.calls)
        return next(at for at in moments if self._allows(quota, who, at, calls=SYNC_OPERATIONS))


class Step(NamedTuple):
    """The name of a method of `Trial`, and its arguments."""

    name: str
    arguments: tuple[object, ...] = ()


WHO = st.integers(0, 2)
SPANS = [edge + near for edge in (MINUTE, CALL, DAY, DAY + MINUTE) for near in (-MICRO, 0 * MICRO, MICRO)]
SPAN = st.sampled_from(SPANS) | st.timedeltas(MICRO, timedelta(hours=9))
TAKE = st.builds(Step, st.just("take"), st.tuples(WHO, st.booleans(), st.sampled_from([0, 50, 100])))
STEPS = st.lists(
    TAKE
    | TAKE
    | st.builds(Step, st.just("take_and_give_back"), st.tuples(WHO, st.booleans()))
    | st.builds(Step, st.just("wait"), st.tuples(SPAN))
    | st.just(Step("come_back")),
    min_size=15,
    max_size=60,
)
ALL_LATE = [Step("take", (2, False, 100))] * LIMIT
ALL_AT_ONCE = [Step("take", (2, False, 0))] * LIMIT


@pytest.mark.django_db
@hypothesis_settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
@example(steps=[*ALL_LATE, Step("wait", (DAY,)), *ALL_AT_ONCE])  # what a count from the take lets through
@example(steps=[*ALL_LATE, Step("come_back"), *ALL_AT_ONCE, Step("come_back"), *ALL_AT_ONCE])
def test_it_agrees_with_the_model_and_no_24_hours_hold_too_many(steps: list[Step]) -> None:
    with transaction.atomic():
        trial = Trial([make_account(str(weight)) for weight in WEIGHTS])
        for step in steps:
            getattr(trial, step.name)(*step.arguments)
        transaction.set_rollback(True)

    times = sorted(call.arrived_at for call in trial.calls)
    for first, after in zip(times, times[LIMIT:], strict=False):
        assert after - first > DAY


def _minute_end(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0) + MINUTE
