"""Meta's own SDK reads the sandbox as it reads Meta, and gets what our client gets, field by field."""

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from facebook_business.adobjects.ad import Ad
from facebook_business.adobjects.adaccount import AdAccount
from facebook_business.adobjects.adreportrun import AdReportRun
from facebook_business.adobjects.adsinsights import AdsInsights
from facebook_business.adobjects.user import User
from facebook_business.api import FacebookAdsApi, FacebookSession
from facebook_business.exceptions import FacebookRequestError

from providers.base import Selection
from providers.meta.fields import ATTRIBUTION_WINDOWS, DEFAULT_ATTRIBUTION, FIELDS, INSIGHT_FIELDS, STATUSES
from providers.meta.insight_rows import Question, insight_records
from providers.meta.parse import account_record, records_of
from providers.records import InsightSlice, Level, Stream
from providers.sandbox.constants import META_APP_ID, META_APP_SECRET, META_TOKEN
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import meta_client, read, records

pytest_plugins = "tests.integration.sandbox_fixtures"

SLICE = InsightSlice(Level.AD, date(2026, 10, 26), date(2026, 11, 1))
INSIGHTS = {
    "level": "ad",
    "time_range": {"since": "2026-10-26", "until": "2026-11-01"},
    "time_increment": "1",
    "action_attribution_windows": list(ATTRIBUTION_WINDOWS[DEFAULT_ATTRIBUTION]),
    "filtering": [{"field": "ad.effective_status", "operator": "IN", "value": STATUSES[Stream.ADS]}],
}
METRICS = INSIGHT_FIELDS[Level.AD].split(",")


@pytest.fixture
def api(sandbox: Sandbox) -> Iterator[FacebookAdsApi]:
    """With the app's secret, so that every call carries its proof; the sandbox demands it."""
    sandbox.control("settings", require_appsecret_proof=True, today="2026-11-20", meta_report_seconds=0.3)
    session = FacebookSession(META_APP_ID, META_APP_SECRET, META_TOKEN)
    session.GRAPH = sandbox.urls["META_GRAPH_URL"]
    yield FacebookAdsApi(session)
    session.requests.close()
    sandbox.control("settings", require_appsecret_proof=False)


@pytest.fixture
def account(api: FacebookAdsApi, ad_account: str) -> AdAccount:
    return AdAccount(ad_account, api=api)


def rows(cursor: Any) -> list[dict[str, Any]]:
    """All pages, as plain JSON."""
    return [one.export_all_data() for one in cursor]


def listing(account: AdAccount, stream: Stream, **params: Any) -> Any:
    get = {
        Stream.CAMPAIGNS: account.get_campaigns,
        Stream.AD_GROUPS: account.get_ad_sets,
        Stream.ADS: account.get_ads,
    }
    fields = [field.partition("{")[0] for field in FIELDS[stream].split(",")]
    asked = {"effective_status": STATUSES[stream]} | params
    return get[stream](fields=fields, params=asked)


def test_the_ad_accounts_of_a_user_are_the_clients(api: FacebookAdsApi, sandbox: Sandbox) -> None:
    fields = ["id", "name", "account_status", "currency", "timezone_name"]

    found = rows(User("me", api=api).get_ad_accounts(fields=fields))

    assert list(map(account_record, found)) == list(meta_client(sandbox).accounts())


@pytest.mark.parametrize("stream", list(Stream))
def test_every_entity_is_the_clients_field_by_field(
    sandbox: Sandbox, ad_account: str, account: AdAccount, stream: Stream
) -> None:
    cursor = listing(account, stream, limit=37)
    found = rows(cursor)

    assert records_of(stream, found, "USD") == records(read(meta_client(sandbox, ad_account), stream))
    assert cursor.total() == len(found)


def test_a_filter_by_time_finds_the_same(sandbox: Sandbox, ad_account: str, account: AdAccount) -> None:
    changed = meta_client(sandbox, ad_account).changed(half_way(sandbox, ad_account))
    assert changed.since is not None
    since = int(changed.since.timestamp()) - 1
    wanted = [{"field": "ad.updated_time", "operator": "GREATER_THAN", "value": since}]

    found = rows(listing(account, Stream.ADS, filtering=wanted))

    ours = meta_client(sandbox, ad_account).pages(Stream.ADS, selection=changed)
    assert records_of(Stream.ADS, found, "USD") == records(ours)
    assert 0 < len(found) < 200


def half_way(sandbox: Sandbox, account: str) -> datetime:
    """When half of the ads had been updated last."""
    times = sorted(ad["updated"] for ad in sandbox.truth("meta", account)["ads"].values())
    return datetime.fromtimestamp(times[100], UTC)


def test_insights_at_once_are_the_clients(sandbox: Sandbox, ad_account: str, account: AdAccount) -> None:
    found = rows(account.get_insights(fields=METRICS, params=INSIGHTS | {"limit": 300}))

    assert parsed(found, ad_account) == ours(sandbox, ad_account)


def test_insights_of_a_report_run_are_the_clients(
    sandbox: Sandbox, ad_account: str, account: AdAccount
) -> None:
    run: AdReportRun = account.get_insights(fields=METRICS, params=dict(INSIGHTS), is_async=True)
    statuses = [status(run)]
    while statuses[-1] != "Job Completed":
        time.sleep(0.05)
        statuses.append(status(run))

    found = rows(run.get_insights(params={"limit": 500}))

    assert parsed(found, ad_account) == ours(sandbox, ad_account)
    assert set(statuses) <= {"Job Not Started", "Job Running", "Job Completed"}
    assert run["async_percent_completion"] == 100


def status(run: AdReportRun) -> str:
    run.api_get(fields=["async_status", "async_percent_completion"])
    found: str = run["async_status"]
    return found


def test_the_insights_of_one_ad_are_read_from_itself(
    api: FacebookAdsApi, sandbox: Sandbox, ad_account: str
) -> None:
    expected = ours(sandbox, ad_account)
    ad_id = expected[0].external_id
    params = {name: value for name, value in INSIGHTS.items() if name != "filtering"}

    found = rows(Ad(ad_id, api=api).get_insights(fields=METRICS, params=params))

    assert parsed(found, ad_account) == [one for one in expected if one.external_id == ad_id]


def test_every_field_that_is_asked_for_is_one_of_metas() -> None:
    known = set(vars(AdsInsights.Field).values())

    assert set(METRICS) <= known
    assert set().union(*ATTRIBUTION_WINDOWS.values()) <= set(
        vars(AdsInsights.ActionAttributionWindows).values()
    )


def parsed(found: list[dict[str, Any]], account: str) -> list[Any]:
    return insight_records(found, Question(Level.AD, account, "USD"))


def ours(sandbox: Sandbox, account: str) -> list[Any]:
    pages = meta_client(sandbox, account).insights(SLICE)
    return [record for page in pages for record in page.records]


def test_who_did_what_is_read_from_the_log(sandbox: Sandbox, ad_account: str, account: AdAccount) -> None:
    ad = min(sandbox.truth("meta", ad_account)["ads"])
    sandbox.control("edit", platform="meta", account=ad_account, id=ad, status="DELETED")

    (event,) = rows(account.get_activities(fields=["event_type", "object_id", "actor_name", "extra_data"]))

    assert (event["event_type"], event["object_id"]) == ("update_ad_run_status", ad)
    assert event["actor_name"] == "editor"
    assert '"new_value":"Deleted"' in event["extra_data"]


def test_a_batch_answers_each_call_and_is_tried_again_for_what_was_not_answered(
    api: FacebookAdsApi, sandbox: Sandbox, ad_account: str, account: AdAccount
) -> None:
    sandbox.fault("meta", "cut", endpoint="adsets")
    sandbox.fault("meta", "rate_limit", endpoint="ads", code=80004)
    good: list[Any] = []
    bad: list[Any] = []
    batch = api.new_batch()
    for get in (account.get_campaigns, account.get_ad_sets, account.get_ads):
        get(fields=["name"], batch=batch, success=good.append, failure=bad.append)

    again = batch.execute()

    assert [len(one.json()["data"]) for one in good] == [8]
    assert [one.error().api_error_code() for one in bad] == [80004]
    assert len(again) == 1
    assert again.execute() is None
    assert len(good) == 2


def test_a_report_is_submitted_in_a_batch(api: FacebookAdsApi, account: AdAccount) -> None:
    done: list[Any] = []
    batch = api.new_batch()
    account.get_insights(params=dict(INSIGHTS), is_async=True, batch=batch, success=done.append)

    assert batch.execute() is None
    assert done[0].json()["report_run_id"].isdigit()


@pytest.mark.parametrize(
    ("fault", "code", "subcode", "is_transient"),
    [
        ({"kind": "rate_limit"}, 17, 2446079, False),
        ({"kind": "rate_limit", "code": 4}, 4, 1504022, True),
        ({"kind": "rate_limit", "code": 80004}, 80004, 2446079, False),
        ({"kind": "server_error"}, 2, None, True),
        ({"kind": "too_much_data", "rows": 10}, 1, None, False),
        ({"kind": "access_denied", "times": 1}, 200, None, False),
        ({"kind": "platform_error", "code": 100, "subcode": 33}, 100, 33, False),
    ],
)
def test_errors_are_the_sdks(
    sandbox: Sandbox,
    ad_account: str,
    account: AdAccount,
    fault: dict[str, Any],
    code: int,
    subcode: int | None,
    is_transient: bool,
) -> None:
    sandbox.control("faults", platform="meta", account=ad_account, **fault)

    with pytest.raises(FacebookRequestError) as caught:
        account.get_campaigns(fields=["name"])

    error = caught.value
    assert (error.api_error_code(), error.api_error_subcode()) == (code, subcode)
    assert error.api_transient_error() is is_transient
    assert error.http_headers()["X-App-Usage"]


def test_a_lost_token_is_the_sdks_oauth_error(sandbox: Sandbox, ad_account: str) -> None:
    token = sandbox.control("tokens", platform="meta")["token"]
    sandbox.control("tokens/revoke", platform="meta", token=token, subcode=460)
    session = FacebookSession(access_token=token)
    session.GRAPH = sandbox.urls["META_GRAPH_URL"]

    with pytest.raises(FacebookRequestError) as caught, session.requests:
        AdAccount(ad_account, api=FacebookAdsApi(session)).get_campaigns()

    assert (caught.value.api_error_code(), caught.value.api_error_subcode()) == (190, 460)
    assert caught.value.api_error_type() == "OAuthException"


def test_the_whole_account_is_read_with_default_pages(
    sandbox: Sandbox, ad_account: str, account: AdAccount
) -> None:
    live = [
        record
        for record in records(meta_client(sandbox, ad_account).pages(Stream.ADS, selection=Selection()))
        if record.platform_status not in ("ARCHIVED", "DELETED")
    ]

    assert [row["id"] for row in rows(account.get_ads())] == [record.external_id for record in live]
