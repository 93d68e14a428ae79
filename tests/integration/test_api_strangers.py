"""Nobody sees, starts or stops another account's things: every route, every way in."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from sync.models import Account, ApiToken, Connection, Membership, SyncRequest, SyncRun
from sync.models.choices import Provider, RunState
from tests.factories import (
    make_ad,
    make_ad_group,
    make_campaign,
    make_change,
    make_connection,
    make_insight,
    make_run,
    make_token,
)
from tests.integration.api_callers import (
    ACCOUNT,
    MANUAL,
    STATUS,
    SWITCH,
    Answer,
    Caller,
    bearer,
    by_session,
    by_token,
)

META = {"provider": "meta"}
DAY = {"level": "campaign", "range": "today"}

ROUTES: dict[str, Callable[[Caller], Answer]] = {
    "ask for a sync": lambda caller: caller.post(MANUAL, META),
    "read the button": lambda caller: caller.get(MANUAL, provider="meta"),
    "read the status": lambda caller: caller.get(STATUS),
    "read a provider's status": lambda caller: caller.get(STATUS, provider="meta"),
    "read a run": lambda caller: caller.get(f"{STATUS}/{SyncRun.objects.get().pk}"),
    "read a request": lambda caller: caller.get(f"{STATUS}/{SyncRequest.objects.get().pk}"),
    "cancel a provider's runs": lambda caller: caller.delete(STATUS, provider="meta"),
    "cancel a run": lambda caller: caller.delete(STATUS, jobId=str(SyncRun.objects.get().pk)),
    "read the account": lambda caller: caller.get(ACCOUNT),
    "read the ad accounts": lambda caller: caller.get("/api/connections"),
    "read an ad account": lambda caller: caller.get(
        f"/api/connections/{SyncRun.objects.get().connection_id}"
    ),
    "ask for days of metrics": lambda caller: caller.post(
        "/api/insights/backfill",
        {"connectionId": str(SyncRun.objects.get().connection_id), "from": str(timezone.now().date())},
    ),
    "read the campaigns": lambda caller: caller.get("/api/campaigns"),
    "read a campaign": lambda caller: caller.get("/api/campaigns/11"),
    "read the ad groups": lambda caller: caller.get("/api/ad-groups"),
    "read an ad group": lambda caller: caller.get("/api/ad-groups/22"),
    "read the ads": lambda caller: caller.get("/api/ads"),
    "read an ad": lambda caller: caller.get("/api/ads/33"),
    "read the metrics": lambda caller: caller.get("/api/insights", **DAY),
    "read the totals": lambda caller: caller.get("/api/insights/totals", **DAY, by="all"),
    "read the changes": lambda caller: caller.get("/api/changes"),
    "read the runs": lambda caller: caller.get("/api/runs"),
    "read one run": lambda caller: caller.get(f"/api/runs/{SyncRun.objects.get().pk}"),
    "switch the account": lambda caller: caller.post(SWITCH, {"accountId": str(Account.objects.all()[0].pk)}),
}


FALSE_HEADERS = [
    "Bearer adt_0123456789",
    "Bearer",
    "Bearer a b",
    "Bearer \xff",
    "Bearer a\0b",
    f"Bearer {'a' * 5000}",
    "Token x",
]


@pytest.fixture
def run(connection: Connection) -> SyncRun:
    """With one row of everything that a sync copies."""
    make_campaign(connection, external_id="11")
    make_ad_group(connection, external_id="22")
    make_ad(connection, external_id="33")
    make_change(connection)
    make_insight(connection, external_id="11", day=connection.day_of(timezone.now()))
    return make_run(connection, state=RunState.DEFERRED)


@pytest.fixture(params=["token", "session"])
def stranger(request: pytest.FixtureRequest, mallory: User, other_account: Account) -> Caller:
    return by_token(mallory, other_account) if request.param == "token" else by_session(mallory)


def assert_untouched(run: SyncRun) -> None:
    after = SyncRun.objects.get()
    assert (after.pk, after.state, after.priority) == (run.pk, RunState.DEFERRED, run.priority)
    assert SyncRequest.objects.count() == 1


@pytest.mark.parametrize("route", ROUTES)
def test_who_is_not_signed_in_gets_nothing(run: SyncRun, route: str) -> None:
    answer = ROUTES[route](Caller())

    assert answer.status == 401
    assert set(answer.body) == {"error", "message"}
    assert answer.body["error"] == "Unauthorized"
    assert_untouched(run)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("header", FALSE_HEADERS)
def test_a_false_token_gets_nothing(run: SyncRun, route: str, header: str) -> None:
    answer = ROUTES[route](Caller({"Authorization": header}))

    assert (answer.status, answer.body["error"]) == (401, "Unauthorized")
    assert_untouched(run)


def expire(token: str) -> None:
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))


def revoke(token: str) -> None:
    ApiToken.objects.all().delete()


def leave(token: str) -> None:
    Membership.objects.filter(user__username="bob").delete()


def deactivate(token: str) -> None:
    User.objects.filter(username="bob").update(is_active=False)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("end", [expire, revoke, leave, deactivate])
def test_a_token_that_is_worth_nothing_any_more_gets_nothing(
    run: SyncRun, bob: User, account: Account, route: str, end: Callable[[str], None]
) -> None:
    token = make_token(account, bob)
    assert bearer(token).get(ACCOUNT).status == 200

    end(token)
    answer = ROUTES[route](bearer(token))

    assert (answer.status, answer.body["error"]) == (401, "Unauthorized")
    assert_untouched(run)


def test_a_stranger_sees_none_of_it_in_the_status(run: SyncRun, stranger: Caller) -> None:
    for query in ({}, META):
        body = stranger.get(STATUS, **query).body
        assert body["accountId"] != str(run.account_id)
        assert body["providers"] == body["recentSyncs"] == []
        assert body["stats"]["totalSyncs"] == body["queueStatus"]["total"] == 0
        assert str(run.connection.external_id) not in str(body)


def test_a_stranger_sees_none_of_it_at_the_button(run: SyncRun, stranger: Caller) -> None:
    body = stranger.get(MANUAL, **META).body

    assert body["recentSyncs"] == []
    assert (body["syncStatus"]["isWaiting"], body["connection"]["status"]) == (False, "disconnected")


OF_ONE = ["read a run", "read a request", "cancel a run", "read one run", "read an ad account"]
OF_ONE += ["read a campaign", "read an ad group", "read an ad", "ask for days of metrics"]


@pytest.mark.parametrize("route", OF_ONE)
def test_a_strangers_id_is_unknown(run: SyncRun, stranger: Caller, route: str) -> None:
    answer = ROUTES[route](stranger)

    assert (answer.status, answer.body["error"]) == (404, "Not found")
    assert_untouched(run)


LISTS = ["read the ad accounts", "read the campaigns", "read the ad groups", "read the ads"]
LISTS += ["read the metrics", "read the totals", "read the changes", "read the runs"]


@pytest.mark.parametrize("route", LISTS)
def test_a_strangers_lists_are_empty(run: SyncRun, stranger: Caller, alice: User, route: str) -> None:
    assert ROUTES[route](stranger).body["results"] == []
    assert len(ROUTES[route](by_session(alice)).body["results"]) == 1


@pytest.mark.parametrize("path", ["campaigns", "ad-groups", "ads", "insights", "changes", "runs"])
def test_a_strangers_connection_narrows_nothing(run: SyncRun, stranger: Caller, path: str) -> None:
    query = {"connection": str(run.connection_id), **(DAY if path == "insights" else {})}

    answer = stranger.get(f"/api/{path}", **query)

    assert (answer.status, answer.body["error"]) == (404, "Not found")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("campaigns", {"id": "11"}),
        ("ad-groups", {"id": "22"}),
        ("ads", {"adGroup": "22"}),
        ("insights", {**DAY, "id": "11"}),
        ("insights/totals", {**DAY, "by": "all", "id": "11"}),
        ("changes", {"entityId": "11"}),
    ],
)
def test_a_strangers_entity_is_unknown(
    run: SyncRun, stranger: Caller, other_account: Account, path: str, query: dict[str, str]
) -> None:
    make_connection(other_account, external_id=run.connection.external_id)

    answer = stranger.get(f"/api/{path}", **query)

    assert (answer.status, answer.body["error"]) == (404, "Not found")


@pytest.mark.parametrize("path", ["connections", "campaigns", "ad-groups", "ads", "changes", "runs"])
def test_a_strangers_csv_has_no_line(run: SyncRun, stranger: Caller, alice: User, path: str) -> None:
    def lines(caller: Caller) -> int:
        csv = caller.client.get(f"/api/{path}", {"format": "csv"}, headers=caller.headers)
        return len(csv.getvalue().splitlines())

    assert (lines(stranger), lines(by_session(alice))) == (1, 2)


def test_a_stranger_cancels_nothing(run: SyncRun, stranger: Caller) -> None:
    assert stranger.delete(STATUS, **META).body["cancelledJobs"] == 0
    assert_untouched(run)


def test_a_strangers_connection_is_unknown(run: SyncRun, stranger: Caller, other_account: Account) -> None:
    make_connection(other_account)

    answer = stranger.post(MANUAL, {**META, "connectionId": str(run.connection_id)})

    assert (answer.status, answer.body["error"]) == (404, "Not found")
    assert_untouched(run)


def test_a_strangers_sync_is_of_his_own_connections(
    run: SyncRun, stranger: Caller, other_account: Account
) -> None:
    own = make_connection(other_account, external_id=run.connection.external_id)

    assert stranger.post(MANUAL, META).status == 202
    assert {made.connection for made in SyncRun.objects.exclude(pk=run.pk)} == {own}
    run.refresh_from_db()
    assert run.state == RunState.DEFERRED


def test_a_strangers_runs_count_in_no_figure(stranger: Caller, run: SyncRun, other_account: Account) -> None:
    make_run(run.connection, state=RunState.FAILED, error_category="UNKNOWN")
    mine = make_run(make_connection(other_account, Provider.GOOGLE), state=RunState.SUCCEEDED)

    body: Any = stranger.get(STATUS).body

    assert [line["id"] for line in body["recentSyncs"]] == [str(mine.pk)]
    assert (body["stats"]["totalSyncs"], body["recentErrors"]) == (1, 0)
    assert (body["queue"]["recentFailures"], body["queue"]["isWaiting"]) == ([], False)


WRITES = [
    "ask for a sync",
    "ask for days of metrics",
    "cancel a provider's runs",
    "cancel a run",
    "switch the account",
]


@pytest.mark.parametrize("route", WRITES)
def test_a_session_without_the_csrf_token_changes_nothing(run: SyncRun, alice: User, route: str) -> None:
    answer = ROUTES[route](by_session(alice, csrf=False))

    assert (answer.status, answer.body["error"]) == (403, "Forbidden")
    assert "CSRF" in answer.body["message"]
    assert_untouched(run)


@pytest.mark.parametrize("route", WRITES[:-1])
def test_a_viewer_changes_nothing(run: SyncRun, victor: User, route: str) -> None:
    answer = ROUTES[route](by_session(victor))

    assert (answer.status, answer.body["error"]) == (403, "Forbidden")
    assert_untouched(run)


@pytest.mark.parametrize("route", [route for route in ROUTES if route.startswith("read")])
def test_a_viewer_reads_everything(run: SyncRun, victor: User, route: str) -> None:
    assert ROUTES[route](by_session(victor)).status == 200
