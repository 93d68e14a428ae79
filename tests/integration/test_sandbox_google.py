"""The sandbox answers like Google Ads: rows, pages, streams, access, refusals."""

from typing import Any

import pytest
import requests

from providers.sandbox.accounts import MANAGER
from providers.sandbox.constants import RECORDED_GOOGLE_CUSTOMER, Platform
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import TIMEOUT, Ads, open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

CAMPAIGNS = (
    "SELECT campaign.id, campaign.name, campaign.status, campaign.advertising_channel_type, "
    "campaign.bidding_strategy_type, campaign.start_date_time, campaign.end_date_time, campaign_budget.id, "
    "campaign_budget.amount_micros, campaign_budget.total_amount_micros FROM campaign"
)
ADS = (
    "SELECT ad_group_ad.ad.id, ad_group_ad.ad.name, ad_group_ad.ad.type, ad_group_ad.ad.final_urls, "
    "ad_group_ad.status, ad_group.id, campaign.id FROM ad_group_ad"
)
CLIENTS = (
    "SELECT customer_client.id, customer_client.level, customer_client.manager, customer_client.status, "
    "customer_client.currency_code, customer_client.time_zone FROM customer_client"
)


@pytest.fixture
def small_pages(sandbox: Sandbox) -> Sandbox:
    """Pages of 60 rows and chunks of 50, so that a small account has several."""
    sandbox.control("settings", google_page_rows=60, google_chunk_rows=50)
    return sandbox


def test_directly_accessible_customers_need_no_manager(ads: Ads) -> None:
    ads.login = ""

    answer = requests.get(
        f"{ads.base}/customers:listAccessibleCustomers", headers=ads.headers, timeout=TIMEOUT
    )

    assert f"customers/{MANAGER}" in answer.json()["resourceNames"]
    assert f"customers/{RECORDED_GOOGLE_CUSTOMER}" not in answer.json()["resourceNames"]


def test_a_manager_tells_its_clients_and_itself(sandbox: Sandbox, ads: Ads) -> None:
    clients = [row["customerClient"] for row in ads.stream(MANAGER, CLIENTS)]

    below = {a["id"] for a in sandbox.ask("accounts")["accounts"] if a["manager_id"] == MANAGER}
    assert {client["id"] for client in clients} == below | {MANAGER}
    assert [client["id"] for client in clients if client.get("manager")] == [MANAGER]
    assert {client.get("level", "0") for client in clients} == {"0", "1"}


def test_a_customer_describes_itself(ads: Ads) -> None:
    query = "SELECT customer.id, customer.currency_code, customer.time_zone, customer.status FROM customer"

    (row,) = ads.stream(RECORDED_GOOGLE_CUSTOMER, query)

    assert row["customer"] == {
        "resourceName": f"customers/{RECORDED_GOOGLE_CUSTOMER}",
        "id": RECORDED_GOOGLE_CUSTOMER,
        "currencyCode": "USD",
        "timeZone": "America/Los_Angeles",
        "status": "ENABLED",
    }


def test_campaigns_come_with_their_budgets(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    rows = ads.stream(customer, CAMPAIGNS)

    truth = sandbox.truth("google", customer)["campaigns"]
    assert {row["campaign"]["id"]: row["campaign"]["status"] for row in rows} == {
        key: campaign["status"] for key, campaign in truth.items()
    }
    for row in rows:
        told = truth[row["campaign"]["id"]]
        assert row["campaignBudget"].get("amountMicros") == (
            told["daily_budget"] and str(told["daily_budget"])
        )
        assert row["campaign"]["resourceName"] == f"customers/{customer}/campaigns/{row['campaign']['id']}"
        assert row["campaign"]["startDateTime"].endswith(" 00:00:00")


def test_removed_entities_are_among_the_rows_unless_left_out(
    sandbox: Sandbox, ads: Ads, customer: str
) -> None:
    truth = sandbox.truth("google", customer)["ads"]

    kept = ads.stream(customer, ADS + " WHERE ad_group_ad.status != 'REMOVED'")

    assert len(ads.stream(customer, ADS)) == len(truth) == 200
    assert len(kept) == sum(ad["status"] != "REMOVED" for ad in truth.values()) < 200


def test_an_ad_names_its_group_and_campaign(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    truth = sandbox.truth("google", customer)["ads"]

    for row in ads.stream(customer, ADS):
        ad = row["adGroupAd"]["ad"]
        external = f"{row['adGroup']['id']}~{ad['id']}"
        assert row["adGroupAd"]["resourceName"] == f"customers/{customer}/adGroupAds/{external}"
        assert truth[external]["campaign_id"] == row["campaign"]["id"]
        assert isinstance(ad["finalUrls"], list)


def test_only_selected_fields_are_sent_and_resource_names_always(ads: Ads, customer: str) -> None:
    row = ads.stream(customer, "SELECT ad_group.name, campaign.status FROM ad_group")[0]

    assert row.keys() == {"adGroup", "campaign"}
    assert row["adGroup"].keys() == {"resourceName", "name"}
    assert row["campaign"].keys() == {"resourceName", "status"}


@pytest.mark.parametrize(
    ("where", "keeps"),
    [
        ("ad_group.id = {a}", lambda key, a, b: key == a),
        ("ad_group.id != {a}", lambda key, a, b: key != a),
        ("ad_group.id IN ({a}, {b})", lambda key, a, b: key in (a, b)),
        ("ad_group.id NOT IN ({a}, {b})", lambda key, a, b: key not in (a, b)),
        ("ad_group.id > {a}", lambda key, a, b: key > a),
        ("ad_group.id >= {a}", lambda key, a, b: key >= a),
        ("ad_group.id < {b}", lambda key, a, b: key < b),
        ("ad_group.id <= {b}", lambda key, a, b: key <= b),
        ("ad_group.id BETWEEN {a} AND {b}", lambda key, a, b: a <= key <= b),
        ("ad_group.id > {a} AND ad_group.id < {b}", lambda key, a, b: a < key < b),
    ],
)
def test_conditions(sandbox: Sandbox, ads: Ads, customer: str, where: str, keeps: Any) -> None:
    ids = sorted(map(int, sandbox.truth("google", customer)["ad_groups"]))
    a, b = ids[5], ids[20]

    query = " ".join(["SELECT ad_group.id FROM ad_group WHERE", where.format(a=a, b=b)])
    rows = ads.stream(customer, query)

    assert [int(row["adGroup"]["id"]) for row in rows] == [key for key in ids if keeps(key, a, b)]


def test_resuming_by_order_and_last_id_gives_every_row_once(
    sandbox: Sandbox, ads: Ads, customer: str
) -> None:
    seen: list[str] = []
    last = "0"
    while True:
        where = f"WHERE ad_group_ad.ad.id > {last} ORDER BY ad_group_ad.ad.id LIMIT 70"
        rows = ads.stream(customer, " ".join(["SELECT ad_group_ad.ad.id FROM ad_group_ad", where]))
        if not rows:
            break
        seen += [row["adGroupAd"]["ad"]["id"] for row in rows]
        last = seen[-1]

    assert len(seen) == len(set(seen)) == 200


def test_descending_order(ads: Ads, customer: str) -> None:
    rows = ads.stream(customer, "SELECT campaign.name FROM campaign ORDER BY campaign.name DESC")

    names = [row["campaign"]["name"] for row in rows]
    assert names == sorted(names, reverse=True)


def test_search_pages_until_there_is_no_token(small_pages: Sandbox, ads: Ads, customer: str) -> None:
    sizes: list[int] = []
    token: dict[str, str] = {}
    while True:
        page = ads.ask(customer, "search", query=ADS, **token).json()
        sizes.append(len(page["results"]))
        if "nextPageToken" not in page:
            break
        token = {"pageToken": page["nextPageToken"]}

    assert sizes == [60, 60, 60, 20]
    assert page["fieldMask"].startswith("adGroupAd.ad.id,adGroupAd.ad.name")


def test_the_total_is_told_on_request(ads: Ads, customer: str) -> None:
    answer = ads.ask(customer, "search", query=ADS, searchSettings={"returnTotalResultsCount": True})

    assert answer.json()["totalResultsCount"] == "200"


def test_a_stream_is_an_array_of_chunks(small_pages: Sandbox, ads: Ads, customer: str) -> None:
    answer = ads.ask(customer, "searchStream", query=ADS)

    chunks = answer.json()
    assert [len(chunk["results"]) for chunk in chunks] == [50, 50, 50, 50]
    assert {chunk["requestId"] for chunk in chunks} == {answer.headers["request-id"]}
    assert ["queryResourceConsumption" in chunk for chunk in chunks] == [False, False, False, True]
    assert answer.headers["Transfer-Encoding"] == "chunked"


def test_nothing_to_tell_is_one_object_or_an_empty_array(sandbox: Sandbox, ads: Ads) -> None:
    empty = open_account(sandbox, Platform.GOOGLE, campaigns=0, ad_groups=0, ads=0)

    (chunk,) = ads.ask(empty, "searchStream", query=ADS).json()

    assert "results" not in chunk
    assert "results" not in ads.ask(empty, "search", query=ADS).json()
    assert ads.ask(MANAGER, "searchStream", query=ADS).json() == []


class TestAccess:
    """Who may read what, and through whom."""

    def test_a_client_needs_its_manager_as_login(self, ads: Ads, customer: str) -> None:
        ads.login = ""

        assert ads.error(customer) == (403, "authorizationError", "USER_PERMISSION_DENIED")

    def test_a_direct_customer_needs_none(self, sandbox: Sandbox, ads: Ads) -> None:
        direct = open_account(sandbox, Platform.GOOGLE, direct=True)
        ads.login = ""

        assert ads.stream(direct, CAMPAIGNS)

    def test_a_login_that_is_no_manager_of_the_customer_is_refused(
        self, sandbox: Sandbox, ads: Ads, customer: str
    ) -> None:
        ads.login = open_account(sandbox, Platform.GOOGLE, direct=True)

        name = "INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION"
        assert ads.error(customer) == (403, "authorizationError", name)

    def test_a_grant_reaches_only_its_accounts(self, sandbox: Sandbox, customer: str) -> None:
        token = sandbox.control("tokens", platform="google", accounts=[customer])["token"]

        assert Ads(sandbox, token, login="").stream(customer, CAMPAIGNS)
        assert Ads(sandbox, token, login="").error(MANAGER)[0] == 403

    def test_a_cancelled_customer_is_not_enabled(self, sandbox: Sandbox, ads: Ads, customer: str) -> None:
        sandbox.control("account", platform="google", account=customer, status="CANCELED")

        assert ads.error(customer) == (403, "authorizationError", "CUSTOMER_NOT_ENABLED")
        statuses = {
            r["customerClient"]["id"]: r["customerClient"]["status"] for r in ads.stream(MANAGER, CLIENTS)
        }
        assert statuses[customer] == "CANCELED"

    def test_the_developer_token_is_ignored(self, ads: Ads, customer: str) -> None:
        url = f"{ads.base}/customers/{customer}/googleAds:search"
        headers = ads.headers | {"developer-token": "anything"}

        assert requests.post(url, json={"query": CAMPAIGNS}, headers=headers, timeout=TIMEOUT).ok

    @pytest.mark.parametrize("token", ["", "ya29.nonsense"])
    def test_without_a_good_token_the_refusal_comes_from_in_front(
        self, ads: Ads, customer: str, token: str
    ) -> None:
        ads.access_token = token

        answer = ads.ask(customer, "search", query=CAMPAIGNS)

        assert answer.status_code == 401
        assert answer.json()["error"]["details"][0]["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("SELECT campaign.start_date FROM campaign", "UNRECOGNIZED_FIELD"),
        ("SELECT campaign.id FROM campaign WHERE campaign.colour = 'red'", "UNRECOGNIZED_FIELD"),
        ("SELECT campaign.id FROM sandcastle", "BAD_RESOURCE_TYPE_IN_FROM_CLAUSE"),
        ("SELECT ad_group.id FROM campaign", "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE"),
        ("SELECT campaign.id FROM campaign WHERE campaign.id = 'red'", "BAD_NUMBER"),
        ("SELECT campaign.id FROM campaign WHERE campaign.status > 'PAUSED'", "BAD_OPERATOR"),
        ("SELECT campaign.id", "EXPECTED_FROM"),
    ],
)
def test_a_wrong_query_is_refused_by_name(ads: Ads, customer: str, query: str, name: str) -> None:
    assert ads.error(customer, query) == (400, "queryError", name)


def test_metrics_of_a_manager_are_refused(ads: Ads) -> None:
    query = "SELECT metrics.impressions FROM campaign"

    assert ads.error(MANAGER, query) == (400, "queryError", "REQUESTED_METRICS_FOR_MANAGER")


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"query": ADS, "pageSize": 10}, "PAGE_SIZE_NOT_SUPPORTED"),
        ({"query": ADS, "pageToken": "nonsense"}, "INVALID_PAGE_TOKEN"),
        ({}, "REQUIRED_FIELD_MISSING"),
    ],
)
def test_a_wrong_request_is_refused_by_name(ads: Ads, customer: str, body: dict[str, Any], name: str) -> None:
    answer = ads.ask(customer, "search", **body)

    (item,) = answer.json()["error"]["details"][0]["errors"]
    assert (answer.status_code, item["errorCode"]) == (400, {"requestError": name})


def test_a_page_token_belongs_to_its_query(small_pages: Sandbox, ads: Ads, customer: str) -> None:
    token = ads.ask(customer, "search", query=ADS).json()["nextPageToken"]

    answer = ads.ask(customer, "search", query=ADS + " ", pageToken=token)

    (item,) = answer.json()["error"]["details"][0]["errors"]
    assert item["errorCode"] == {"requestError": "INVALID_PAGE_TOKEN"}


@pytest.mark.parametrize(("version", "status"), [("v23", 200), ("v14", 400), ("v99", 400)])
def test_versions_are_supported_or_not(ads: Ads, customer: str, version: str, status: int) -> None:
    url = ads.base.replace("v26", version) + f"/customers/{customer}/googleAds:search"

    answer = requests.post(url, json={"query": CAMPAIGNS}, headers=ads.headers, timeout=TIMEOUT)

    assert answer.status_code == status


def test_an_error_of_a_stream_comes_in_an_array(ads: Ads, customer: str) -> None:
    (only,) = ads.ask(customer, "searchStream", query="SELECT campaign.colour FROM campaign").json()

    assert only["error"]["code"] == 400
