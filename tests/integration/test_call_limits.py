"""Limits that people set at run time: what they replace, whom they reach, and the history that they are."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connections, transaction

from providers.sandbox.process import Sandbox
from sync.engine.limits import all_limits_of, limits_of
from sync.engine.overrides import Overrides
from sync.engine.set_limits import clear_limits, set_limits
from sync.models import Account, CallLimit, Connection, Plan
from sync.models.choices import RunState
from tests.factories import make_connection
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import sync
from tests.platforms import connect, platform  # noqa: F401  (fixtures)
from tests.processes import eventually

PROVIDER, PLAN, ACCOUNT, AD_ACCOUNT = "provider", "plan", "account", "connection"


@pytest.fixture(autouse=True)
def _defaults(settings: Any) -> None:
    settings.CONNECTION_WINDOWS = {"meta": ((10, 60.0), (200, 3600.0)), "google": ()}
    settings.PROVIDER_WINDOWS = {"meta": (), "google": ()}


def put(scope: str, calls: int, seconds: float, by: str = "alice", **about: Any) -> CallLimit:
    limit = CallLimit(scope=scope, calls=calls, seconds=seconds, **about)
    with transaction.atomic():
        set_limits([limit], by=by)
    return limit


@pytest.fixture(autouse=True)
def _always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's transaction is never committed, so nothing tells the process that it set something."""
    monkeypatch.setattr("sync.engine.overrides.FRESH", -1.0)


def windows(connection: Connection, label: str) -> dict[float, tuple[int, str]]:
    (limit,) = [limit for limit in all_limits_of(connection) if limit.label == label]
    return {window.seconds: (window.calls, window.source) for window in limit.windows}


def test_without_limits_that_people_set_the_defaults_hold_and_say_so(connection: Connection) -> None:
    setting = "the setting META_CONNECTION_WINDOWS"

    assert windows(connection, connection.external_id) == {60.0: (10, setting), 3600.0: (200, setting)}


def test_a_limit_replaces_the_default_of_its_length_and_leaves_the_others(connection: Connection) -> None:
    put(AD_ACCOUNT, 40, 60, provider="meta", external_id=connection.external_id)

    told = windows(connection, connection.external_id)

    assert told[60] == (40, "set by alice")
    assert told[3600] == (200, "the setting META_CONNECTION_WINDOWS")


def test_a_pause_between_calls_is_one_more_window(connection: Connection) -> None:
    put(AD_ACCOUNT, 1, 0.5, provider="meta", external_id=connection.external_id)

    assert set(windows(connection, connection.external_id)) == {60, 3600, 0.5}


def test_one_for_each_ad_account_gives_way_to_an_ad_accounts_own(
    account: Account, connection: Connection
) -> None:
    other = make_connection(account)
    put(AD_ACCOUNT, 30, 60, provider="meta")
    put(AD_ACCOUNT, 40, 60, provider="meta", external_id=connection.external_id)

    assert windows(connection, connection.external_id)[60] == (40, "set by alice")
    assert windows(other, other.external_id)[60] == (30, "set by alice for each ad account")


def test_the_same_ad_account_of_two_tenants_has_one_limit(account: Account, other_account: Account) -> None:
    ours, theirs = (make_connection(each, external_id="act_7") for each in (account, other_account))
    put(AD_ACCOUNT, 40, 60, provider="meta", external_id="act_7")

    assert limits_of(ours)[0] == limits_of(theirs)[0]


def test_a_use_case_has_limits_of_its_own(connection: Connection) -> None:
    put(AD_ACCOUNT, 300, 3600, provider="meta", use_case="ads_management")

    case = f"{connection.external_id} (ads_management)"

    assert windows(connection, case) == {3600: (300, "set by alice for each ad account")}
    assert windows(connection, connection.external_id)[3600][0] == 200
    assert [limit.label for limit in limits_of(connection, "ads_insights")][1].endswith("(ads_insights)")


def test_what_a_tier_is_documented_to_allow_is_a_default(connection: Connection) -> None:
    connection.access_tier = "development_access"
    tier = "the tier development_access"

    assert windows(connection, connection.external_id)[300] == (60, tier)
    assert windows(connection, f"{connection.external_id} (ads_management)") == {3600: (300, tier)}
    assert windows(connection, f"{connection.external_id} (ads_insights)") == {3600: (600, tier)}


def test_a_setting_or_a_limit_of_the_same_length_goes_before_the_tiers(
    connection: Connection, settings: Any
) -> None:
    connection.access_tier = "standard_access"
    settings.CONNECTION_WINDOWS = {"meta": ((90, 300.0),), "google": ()}
    put(AD_ACCOUNT, 700, 3600, provider="meta", use_case="ads_insights")

    assert windows(connection, connection.external_id)[300] == (90, "the setting META_CONNECTION_WINDOWS")
    case = windows(connection, f"{connection.external_id} (ads_insights)")
    assert case[3600] == (700, "set by alice for each ad account")


def test_a_tier_that_is_not_known_limits_nothing(connection: Connection) -> None:
    connection.access_tier = "gold_access"

    assert set(windows(connection, connection.external_id)) == {60, 3600}


def test_an_apps_limit_holds_for_all_its_calls_only(account: Account, connection: Connection) -> None:
    put(PROVIDER, 20_000, 3600, provider="google")
    google = make_connection(account, "google")

    assert windows(google, "Google Ads") == {3600: (20_000, "set by alice")}
    assert windows(connection, "Meta") == {}


def test_an_accounts_limit_goes_before_its_plans_and_that_before_the_plans_own_figures(
    account: Account, connection: Connection
) -> None:
    account.plan = Plan.objects.create(name="Agency", calls_per_minute=100, calls_per_hour=1000)
    account.save()
    put(PLAN, 2000, 3600, plan=account.plan)
    put(PLAN, 1, 0.1, plan=account.plan)
    put(ACCOUNT, 50, 60, account=account)

    assert windows(connection, "Acme") == {
        60: (50, "set by alice"),
        3600: (2000, "set by alice for the plan"),
        0.1: (1, "set by alice for the plan"),
    }
    assert account.plan is not None
    clear_limits(CallLimit.objects.all(), by="bob")
    assert windows(connection, "Acme")[60] == (100, "the plan Agency")


def test_what_was_set_cleared_and_replaced_stays_with_who_and_when(connection: Connection) -> None:
    first = put(AD_ACCOUNT, 40, 60, provider="meta", external_id="act_7", reason="full access")
    second = put(AD_ACCOUNT, 50, 60, "bob", provider="meta", external_id="act_7")
    ended = clear_limits(CallLimit.objects.like(second), by="carol")

    first.refresh_from_db()
    second.refresh_from_db()

    assert [limit.pk for limit in ended] == [second.pk]
    assert (first.set_by, first.ended_by, first.reason) == ("alice", "bob", "full access")
    assert (second.set_by, second.ended_by) == ("bob", "carol")
    assert first.set_at <= first.ended_at <= second.ended_at  # type: ignore[operator]  # none is None
    assert clear_limits(CallLimit.objects.like(second), by="dave") == []


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        ({"scope": PROVIDER, "provider": ""}, "provider", "A limit of an app or project names its provider."),
        ({"scope": PLAN, "provider": ""}, "plan", "A limit of a plan names its plan."),
        ({"scope": ACCOUNT, "provider": "meta"}, "provider", "names no provider: leave it empty."),
        (
            {"scope": PROVIDER, "provider": "meta", "external_id": "act_1"},
            "external_id",
            "names no ad account",
        ),
        ({"external_id": "123"}, "external_id", "Meta names ad accounts like act_1234567890."),
        ({"provider": "google", "external_id": "act_1"}, "external_id", "ad accounts like 1234567890."),
        ({"use_case": "ads"}, "use_case", "Meta meters these apart: ads_management, ads_insights."),
        ({"provider": "google", "use_case": "ads"}, "use_case", "Google Ads meters no use cases apart"),
        ({"calls": 0}, "calls", "At least one. To call nothing at all, pause it."),
        ({"seconds": 0}, "seconds", "More than nothing"),
        ({"seconds": 90_000}, "seconds", "At most 86400, a day"),
        ({"scope": "galaxy"}, "scope", "not a valid choice"),
    ],
)
def test_a_wrong_limit_is_told_at_the_field_that_is_wrong(
    db: None, wrong: dict[str, Any], field: str, message: str
) -> None:
    about = {"scope": AD_ACCOUNT, "provider": "meta", "calls": 1, "seconds": 1, **wrong}

    with pytest.raises(ValidationError) as caught:
        set_limits([CallLimit(**about)], by="alice")

    assert message in " ".join(caught.value.message_dict[field])
    assert not CallLimit.objects.exists()


def test_several_are_set_together_or_not_at_all(db: None) -> None:
    limits = [CallLimit(scope=PROVIDER, provider="meta", calls=calls, seconds=60) for calls in (1, 0)]

    with pytest.raises(ValidationError):
        set_limits(limits, by="alice")

    assert not CallLimit.objects.exists()


def test_the_database_holds_one_limit_per_length(db: None) -> None:
    put(PROVIDER, 5, 60, provider="meta")

    with pytest.raises(IntegrityError):
        CallLimit.objects.create(scope=PROVIDER, provider="meta", calls=6, seconds=60, set_by="bob")


@pytest.mark.django_db(transaction=True)
def test_two_who_set_the_same_limit_at_once_both_succeed_and_one_holds() -> None:
    start = threading.Barrier(4)

    def edit(number: int) -> None:
        start.wait()
        put(PROVIDER, number + 1, 60, f"user {number}", provider="meta")
        connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(edit, range(4)))

    assert CallLimit.objects.count() == 4
    assert CallLimit.objects.holding().count() == 1


@pytest.mark.django_db(transaction=True)
def test_another_process_heeds_an_edit_within_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sync.engine.overrides.FRESH", 0.2)
    elsewhere = Overrides()
    assert elsewhere.of("provider:meta") == ()

    put(PROVIDER, 5, 60, provider="meta")

    assert elsewhere.of("provider:meta") == ()  # its memory is still fresh: no query per call
    eventually(lambda: elsewhere.of("provider:meta") != (), seconds=5, what="the new limit")


@pytest.mark.django_db(transaction=True)
def test_the_process_that_edits_heeds_it_at_once(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.engine.overrides.FRESH", 600.0)
    limits_of(connection)

    limit = put(AD_ACCOUNT, 40, 60, provider="meta", external_id=connection.external_id)
    assert windows(connection, connection.external_id)[60][0] == 40
    clear_limits(CallLimit.objects.like(limit), by="bob")

    assert windows(connection, connection.external_id)[60][0] == 10


def test_a_run_is_deferred_by_a_limit_that_was_set(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "meta")
    put(AD_ACCOUNT, 2, 600, provider="meta", external_id=connection.external_id)

    run = sync(connection)

    assert (run.state, run.calls) == (RunState.DEFERRED, 2)
    assert f"{connection.external_id} may make 2 calls in 600 s" in run.waiting_for


def test_limits_without_an_ad_account_are_those_of_the_app_and_the_tenant(account: Account) -> None:
    listing = Connection(account=account, provider="meta", external_id="")

    assert [limit.label for limit in limits_of(listing)] == ["Meta", "Acme"]
