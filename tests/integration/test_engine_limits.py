"""What the platform says of its own limits while runs are under way, and what rests for it."""

import time
from typing import Any

import pytest
from django.utils import timezone

from providers.base import Usage
from providers.errors import BudgetSpent
from providers.meta.tiers import TIERS, Tier
from providers.sandbox.process import Sandbox
from sync.connect import connect_ad_account
from sync.engine.platform import gate_for
from sync.management.probe import probe
from sync.models import Account, Connection
from sync.models.choices import RunState, Trigger
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import sync
from tests.platforms import connect, platform  # noqa: F401  (fixtures)


def report(platform: Sandbox, external_id: str) -> dict[str, Any]:
    """What the sandbox counted of an ad account's calls."""
    told = platform.ask("calls", platform="meta", account=external_id)
    subject: dict[str, Any] = told["subjects"][f"meta/{external_id.removeprefix('act_')}"]
    return subject


def test_a_spent_use_case_rests_for_its_minutes_and_the_others_go_on(
    platform: Sandbox, account: Account
) -> None:
    connection = connect(platform, account, "meta")
    platform.fault("meta", "rate_limit", account=connection.external_id, code=80004, minutes=17)

    run = sync(connection)

    assert run.state == RunState.DEFERRED
    assert "ads_management" in run.waiting_for
    with pytest.raises(BudgetSpent, match="ads_management") as caught:
        gate_for(connection, background=False).take("ads_management")
    assert caught.value.retry_at - time.time() == pytest.approx(17 * 60, abs=5)
    gate_for(connection, background=False).take("ads_insights")


def test_a_refusal_while_probing_rests_what_it_names_also_for_who_connects(
    platform: Sandbox, account: Account
) -> None:
    connection = connect(platform, account, "google")
    platform.fault("google", "rate_limit", account=connection.external_id, retry_after=40, scope="DEVELOPER")

    assert "the project no more operations" in probe(connection).error

    other = connect(platform, account, "google")
    with pytest.raises(BudgetSpent, match="Google Ads: Google allows the project"):
        connect_ad_account(account, "google", other.external_id, other.credential.secret)


def test_a_run_learns_the_tier_and_its_limits_hold_from_the_next_call_on(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.budget.gate.LIMITS_FRESH", -1.0)
    monkeypatch.setitem(TIERS, "standard_access", Tier(2, 60.0, {}))
    connection = connect(platform, account, "meta")

    run = sync(connection)

    connection.refresh_from_db()
    assert connection.access_tier == "standard_access"
    assert (run.state, run.calls) == (RunState.DEFERRED, 2)
    assert f"{connection.external_id} may make 2 calls in 300 s" in run.waiting_for


def test_in_the_limited_tier_the_referee_sees_its_score_kept_and_no_call_refused(
    platform: Sandbox, account: Account
) -> None:
    connection = connect(platform, account, "meta")
    platform.control("settings", meta_tier="development_access")
    platform.control("limits", platform="meta", account=[[60, 300, 300]], only=connection.external_id)
    try:
        scheduled = [sync(connection, trigger=Trigger.SCHEDULED) for _ in range(17)]
        in_background = report(platform, connection.external_id)
        manual = [sync(connection, trigger=Trigger.MANUAL) for _ in range(5)]
    finally:
        platform.control("settings", meta_tier="standard_access")

    assert {run.state for run in scheduled[:16]} == {RunState.SUCCEEDED}
    assert scheduled[-1].state == RunState.DEFERRED
    assert (in_background["calls"], in_background["refused"]) == (48, 0)  # a fifth of 60 is for people
    assert f"{connection.external_id} may make 60 calls in 300 s, 48 of them in the background" in (
        scheduled[-1].waiting_for
    )
    told = report(platform, connection.external_id)
    assert [run.state for run in manual] == [RunState.SUCCEEDED] * 4 + [RunState.DEFERRED]
    assert (told["calls"], told["refused"], told["windows"][0]["highest"]) == (60, 0, 60)


def fail_calls(connection: Connection, *, calls: int, errors: int) -> None:
    gate = gate_for(connection, background=False)
    for number in range(calls):
        gate.settle(gate.take(), Usage(failed=number < errors))


@pytest.mark.parametrize(
    ("calls", "errors", "trigger", "held"),
    [
        (99, 11, Trigger.SCHEDULED, True),  # and the run's own failure: 12 of 100
        (99, 9, Trigger.SCHEDULED, False),  # 10 of 100 is not more than 10 %
        (99, 11, Trigger.MANUAL, False),
        (40, 40, Trigger.SCHEDULED, False),  # too few to say anything
    ],
)
def test_where_too_many_calls_fail_the_background_retries_after_an_hour(
    platform: Sandbox, account: Account, calls: int, errors: int, trigger: Trigger, held: bool
) -> None:
    connection = connect(platform, account, "meta")
    fail_calls(connection, calls=calls, errors=errors)
    platform.fault("meta", "platform_error", account=connection.external_id, code=2, status=500)

    run = sync(connection, trigger=trigger)

    assert (run.state, run.failed_attempts) == (RunState.DEFERRED, 1)
    assert run.available_at is not None
    wait = (run.available_at - timezone.now()).total_seconds()
    assert wait == pytest.approx(3600 if held else 2, abs=5)
    assert ("held back: too many calls fail" in run.waiting_for) is held


def test_googles_errors_hold_nothing_back(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "google")
    fail_calls(connection, calls=100, errors=100)
    platform.fault("google", "server_error", account=connection.external_id, status=500)

    run = sync(connection, trigger=Trigger.SCHEDULED)

    assert run.available_at is not None
    assert (run.available_at - timezone.now()).total_seconds() < 10


def test_background_work_yields_at_the_platforms_own_meter_and_a_person_uses_the_rest_unrefused(
    platform: Sandbox, account: Account
) -> None:
    connection = connect(platform, account, "meta")
    platform.control("limits", platform="meta", account=[[20, 300]], only=connection.external_id)

    syncs = [sync(connection, trigger=Trigger.SCHEDULED) for _ in range(6)]
    in_background = report(platform, connection.external_id)

    assert [run.state for run in syncs] == [RunState.SUCCEEDED] * 5 + [RunState.DEFERRED]
    assert "85 % of the platform's limit is used, and people have a reserve of it" in syncs[-1].waiting_for
    assert (in_background["calls"], in_background["refused"]) == (17, 0)  # 80 % and the one that told so

    person = sync(connection, trigger=Trigger.MANUAL)  # joins what waits, from its first page on
    one_more = sync(connection, trigger=Trigger.MANUAL)

    by_people = report(platform, connection.external_id)
    assert (person.pk, person.state) == (syncs[-1].pk, RunState.SUCCEEDED)
    assert one_more.state == RunState.DEFERRED
    assert "100 % of the platform's limit is used" in one_more.waiting_for
    assert (by_people["calls"], by_people["refused"]) == (20, 0)
