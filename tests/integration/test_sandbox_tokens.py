"""OAuth at both platforms: consent, exchange, refresh, inspection, the app's proof."""

import hashlib
import hmac
import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from providers.sandbox.constants import (
    GOOGLE_CLIENT_ID,
    GOOGLE_REFRESH_TOKEN,
    META_APP_ID,
    META_APP_SECRET,
    META_TOKEN,
    Platform,
)
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import TIMEOUT, Ads, Graph, open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

APP = {"client_id": META_APP_ID, "client_secret": META_APP_SECRET}
HOME = "http://127.0.0.1/back"


def consent(url: str, client_id: str, button: str = "allow") -> dict[str, list[str]]:
    """Open a consent page, press a button, and read what it sends back."""
    params = {"client_id": client_id, "redirect_uri": HOME, "state": "xyz", "response_type": "code"}
    page = requests.get(url, params=params, timeout=TIMEOUT).text
    found = re.search(f'id="{button}" href="([^"]*)"', page)
    assert found
    return parse_qs(urlsplit(unescape(found[1])).query)


def meta_consent(sandbox: Sandbox, button: str = "allow") -> dict[str, list[str]]:
    return consent(f"{sandbox.urls['META_OAUTH_URL']}/v26.0/dialog/oauth", META_APP_ID, button)


def test_metas_consent_ends_in_a_token_that_works(sandbox: Sandbox, graph: Graph) -> None:
    back = meta_consent(sandbox)

    token = graph.get("oauth/access_token", **APP, redirect_uri=HOME, code=back["code"][0])

    assert back["state"] == ["xyz"]
    assert token["token_type"] == "bearer"
    assert token["expires_in"] == 5_184_000
    assert Graph(sandbox, token["access_token"]).get("me/adaccounts")["data"]


def test_a_code_is_good_once(sandbox: Sandbox, graph: Graph) -> None:
    code = meta_consent(sandbox)["code"][0]
    graph.get("oauth/access_token", **APP, redirect_uri=HOME, code=code)

    assert graph.error("oauth/access_token", **APP, redirect_uri=HOME, code=code) == (400, 100, 36009)


def test_who_denies_gives_no_code(sandbox: Sandbox) -> None:
    assert meta_consent(sandbox, "deny") == {"error": ["access_denied"], "state": ["xyz"]}


def test_a_page_for_an_unknown_client_is_refused(sandbox: Sandbox) -> None:
    params = {"client_id": "1", "redirect_uri": HOME}

    answer = requests.get(f"{sandbox.url}/meta-oauth/v26.0/dialog/oauth", params=params, timeout=TIMEOUT)

    assert answer.status_code == 400


def test_a_short_token_is_exchanged_for_a_long_one_of_the_same_accounts(
    sandbox: Sandbox, graph: Graph
) -> None:
    account = open_account(sandbox, Platform.META)
    short = sandbox.control("tokens", platform="meta", accounts=[account], lifetime=3600)["token"]

    token = graph.get("oauth/access_token", **APP, grant_type="fb_exchange_token", fb_exchange_token=short)

    accounts = Graph(sandbox, token["access_token"]).get("me/adaccounts")["data"]
    assert [row["id"] for row in accounts] == [account]


def test_an_exchange_needs_the_apps_secret(graph: Graph) -> None:
    wrong = APP | {"client_secret": "wrong"}

    answer = graph.error(
        "oauth/access_token", **wrong, grant_type="fb_exchange_token", fb_exchange_token=META_TOKEN
    )

    assert answer == (400, 1, None)


@pytest.mark.parametrize("token", ["", "nonsense"])
def test_meta_refuses_a_missing_or_invented_token(sandbox: Sandbox, token: str) -> None:
    assert Graph(sandbox, token).error("me") == (400, 190 if token else 104, None)


def test_the_token_may_come_as_a_parameter(sandbox: Sandbox) -> None:
    answer = requests.get(
        f"{sandbox.url}/meta/v26.0/me", params={"access_token": META_TOKEN}, timeout=TIMEOUT
    )

    assert answer.json()["id"]


def test_a_grant_reaches_only_its_ad_accounts(sandbox: Sandbox, ad_account: str) -> None:
    mine = open_account(sandbox, Platform.META)
    graph = Graph(sandbox, sandbox.control("tokens", platform="meta", accounts=[mine])["token"])

    assert graph.get(f"{mine}/ads")["data"]
    assert graph.error(f"{ad_account}/ads") == (403, 200, None)


def test_a_token_is_inspected(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    token = sandbox.control("tokens", platform="meta", accounts=[ad_account], lifetime=3600)["token"]
    app_token = f"{META_APP_ID}|{META_APP_SECRET}"

    def inspect(wanted: str) -> dict[str, object]:
        data: dict[str, object] = graph.get("debug_token", input_token=wanted, access_token=app_token)["data"]
        return data

    good = inspect(token)
    sandbox.control("tokens/expire", platform="meta", token=token)
    expired = inspect(token)

    assert good["is_valid"] is True
    assert good["granular_scopes"] == [{"scope": "ads_read", "target_ids": [ad_account.removeprefix("act_")]}]
    assert inspect(META_TOKEN)["expires_at"] == 0
    assert expired["is_valid"] is False
    assert expired["error"]["subcode"] == 463  # type: ignore[index]  # a dict
    assert inspect("nonsense")["is_valid"] is False


def test_a_token_expires_when_its_time_has_come(sandbox: Sandbox) -> None:
    token = sandbox.control("tokens", platform="meta", lifetime=0)["token"]

    assert Graph(sandbox, token).error("me") == (400, 190, 463)


def test_the_apps_proof_is_checked(sandbox: Sandbox, graph: Graph) -> None:
    proof = hmac.new(META_APP_SECRET.encode(), META_TOKEN.encode(), hashlib.sha256).hexdigest()

    assert graph.get("me", appsecret_proof=proof)
    assert graph.error("me", appsecret_proof="0" * 64) == (400, 100, None)
    sandbox.control("settings", require_appsecret_proof=True)
    try:
        assert graph.error("me") == (400, 100, None)
        assert graph.get("me", appsecret_proof=proof)
    finally:
        sandbox.control("settings", require_appsecret_proof=False)


def test_googles_consent_ends_in_a_grant_that_works(sandbox: Sandbox, ads: Ads, customer: str) -> None:
    code = consent(f"{sandbox.urls['GOOGLE_OAUTH_URL']}/o/oauth2/v2/auth", GOOGLE_CLIENT_ID)["code"][0]

    tokens = ads.refresh("", grant_type="authorization_code", code=code, redirect_uri=HOME).json()

    ads.access_token = tokens["access_token"]
    assert ads.stream(customer, "SELECT campaign.id FROM campaign")
    assert Ads(sandbox, tokens["refresh_token"]).stream(customer, "SELECT campaign.id FROM campaign")


def test_a_refresh_gives_an_hour(ads: Ads) -> None:
    answer = ads.refresh(GOOGLE_REFRESH_TOKEN).json()

    assert answer.keys() == {"access_token", "expires_in", "scope", "token_type"}
    assert answer["expires_in"] == 3599


@pytest.mark.parametrize(
    ("form", "error", "status"),
    [
        ({"refresh_token": "nonsense"}, "invalid_grant", 400),
        ({"grant_type": "authorization_code", "code": "nonsense"}, "invalid_grant", 400),
        ({"client_secret": "wrong"}, "invalid_client", 401),
        ({"grant_type": "password"}, "unsupported_grant_type", 400),
    ],
)
def test_google_refuses_in_the_words_of_oauth(
    ads: Ads, form: dict[str, str], error: str, status: int
) -> None:
    answer = ads.refresh(**{"refresh_token": GOOGLE_REFRESH_TOKEN} | form)

    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_revoked_grant_buys_nothing_and_its_access_tokens_end(sandbox: Sandbox, customer: str) -> None:
    token = sandbox.control("tokens", platform="google")["token"]
    ads = Ads(sandbox, token)

    sandbox.control("tokens/revoke", platform="google", token=token)

    assert ads.refresh(token).json()["error"] == "invalid_grant"
    assert ads.error(customer) == (401, "authenticationError", "OAUTH_TOKEN_REVOKED")


def test_access_tokens_live_as_long_as_set(sandbox: Sandbox, customer: str) -> None:
    sandbox.control("settings", access_lifetime=0)
    try:
        ads = Ads(sandbox)
    finally:
        sandbox.control("settings", access_lifetime=3599)

    assert ads.error(customer) == (401, "authenticationError", "OAUTH_TOKEN_EXPIRED")
