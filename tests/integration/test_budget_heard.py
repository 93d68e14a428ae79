"""What platforms said last, and how many of an app's last calls failed."""

import time

import pytest

from providers.base import Reading, Usage
from providers.budget import BudgetStore, Limit, Outcomes, Window
from providers.budget.heard import OUTCOMES
from providers.errors import Scope
from tests.integration.valkey_server import ValkeyServer, store, valkey  # noqa: F401  (fixtures)

OWN = Limit("act_1", "act_1", (Window(100_000, 60),), Scope.AD_ACCOUNT)
APP = Limit("Meta", "Meta", (), Scope.APP)
SAID = Usage(
    (Reading(Scope.AD_ACCOUNT, 9.67, 100, "", 100), Reading(Scope.USE_CASE, 95, 3600, "ads_management")),
    tier="standard_access",
    failed=False,
)


def answer(store: BudgetStore, usage: Usage, *limits: Limit) -> None:
    store.settle(limits or (OWN, APP), "ticket", call_seconds=5, usage=usage)


def test_the_last_answer_is_kept_as_it_was(store: BudgetStore, valkey: ValkeyServer) -> None:
    answer(store, Usage(tier="development_access"))
    answer(store, SAID)

    heard = store.heard("act_1")

    assert heard is not None
    assert heard.usage == SAID._replace(failed=None)
    assert heard.at == pytest.approx(time.time(), abs=5)
    assert 0 < valkey.client.ttl("adtiger:budget:heard:act_1") <= 86_400


def test_an_answer_that_says_nothing_replaces_nothing(store: BudgetStore) -> None:
    answer(store, SAID)
    answer(store, Usage(failed=True))

    assert store.heard("act_1") is not None
    assert store.heard("act_2") is None


def test_outcomes_are_those_of_the_last_500_calls(store: BudgetStore, valkey: ValkeyServer) -> None:
    failed = [number * number % 11 < 3 for number in range(OUTCOMES + 230)]
    assert store.outcomes("Meta") == Outcomes(0, 0)

    for number, each in enumerate(failed, start=1):
        answer(store, Usage(failed=each))
        if number in (1, 10, OUTCOMES - 1, OUTCOMES, OUTCOMES + 1, len(failed)):
            last = failed[max(0, number - OUTCOMES) : number]
            assert store.outcomes("Meta") == Outcomes(len(last), sum(last))

    assert store.outcomes("Meta").rate == sum(failed[-OUTCOMES:]) / OUTCOMES
    assert 0 < valkey.client.ttl("adtiger:budget:outcomes:Meta") <= 15 * 86_400


def test_a_call_without_an_answer_is_no_outcome_and_each_app_has_its_own(store: BudgetStore) -> None:
    answer(store, Usage())
    answer(store, Usage(failed=True), OWN, Limit("Google", "Google", (), Scope.APP))

    assert store.outcomes("Meta") == Outcomes(0, 0)
    assert store.outcomes("Google") == Outcomes(1, 1)
    assert Outcomes(0, 0).rate == 0


def test_limits_that_no_platform_meters_keep_nothing(store: BudgetStore, valkey: ValkeyServer) -> None:
    answer(store, SAID, Limit("Acme", "Acme", (Window(1, 60),)))

    assert not [key for key in valkey.client.scan_iter() if b"heard" in key or b"outcomes" in key]
