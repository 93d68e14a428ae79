"""How long the sandbox takes for an account, a page and a stream: it must not be what a benchmark measures.

Run: `python -m benchmarks.sandbox_pages [--ads 100000]`. One client, one connection, loopback.
"""

import statistics
import time
from collections.abc import Callable

import orjson
import requests

from benchmarks.harness.options import options
from providers.sandbox.constants import (
    GOOGLE_CLIENT_ID,
    GOOGLE_CLIENT_SECRET,
    GOOGLE_REFRESH_TOKEN,
    META_TOKEN,
)
from providers.sandbox.process import Sandbox, start

META_FIELDS = (
    "id,name,status,effective_status,campaign_id,adset_id,creative{id},created_time,updated_time,bid_amount"
)
QUERY = (
    "SELECT ad_group_ad.ad.id, ad_group_ad.ad.name, ad_group_ad.ad.type, ad_group_ad.ad.final_urls, "
    "ad_group_ad.status, ad_group.id, campaign.id FROM ad_group_ad"
)
STATUSES = '["ACTIVE","PAUSED","ARCHIVED","DELETED","CAMPAIGN_PAUSED","ADSET_PAUSED","PENDING_REVIEW"]'


def main() -> None:
    asked = options(__doc__, ads=(100_000, 2_000), pages=(30, 1))
    size = f"100/{asked.ads // 20}/{asked.ads}"
    with start("--meta", size, "--google", size, "--no-recorded") as sandbox:
        _meta(sandbox, asked.pages)
        _google(sandbox)


def _meta(sandbox: Sandbox, pages: int) -> None:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {META_TOKEN}"
    account = session.get(f"{sandbox.url}/meta/v26.0/me/adaccounts").json()["data"][0]["id"]
    url = f"{sandbox.url}/meta/v26.0/{account}/ads"
    params = {"fields": META_FIELDS, "limit": "1000", "effective_status": STATUSES, "summary": "true"}
    making = _seconds(lambda: session.get(url, params=params))
    print(f"first page, with making the account: {making * 1000:.0f} ms")
    times = []
    for _ in range(pages):
        begun = time.perf_counter()
        page = session.get(url, params=params).content
        times.append((time.perf_counter() - begun) * 1000)
        after = orjson.loads(page)["paging"]["cursors"]["after"]
        params["after"] = after
    print(
        f"page of 1,000 ads ({len(page) // 1024} KiB), {pages} times: "
        f"median {statistics.median(times):.1f} ms, highest {max(times):.1f} ms"
    )


def _google(sandbox: Sandbox) -> None:
    session = requests.Session()
    form = {
        "grant_type": "refresh_token",
        "client_id": GOOGLE_CLIENT_ID,
        "client_secret": GOOGLE_CLIENT_SECRET,
        "refresh_token": GOOGLE_REFRESH_TOKEN,
    }
    token = session.post(f"{sandbox.url}/google-oauth/token", data=form).json()["access_token"]
    customers = sandbox.ask("accounts")["accounts"]
    customer = next(a for a in customers if a["platform"] == "google" and not a["is_manager"])
    session.headers["Authorization"] = f"Bearer {token}"
    session.headers["login-customer-id"] = customer["manager_id"]
    url = f"{sandbox.url}/google/v26/customers/{customer['id']}/googleAds:searchStream"
    making = _seconds(lambda: session.post(url, json={"query": "SELECT customer.id FROM customer"}))
    print(f"customer row: {making * 1000:.1f} ms")
    first = _seconds(lambda: session.post(url, json={"query": QUERY}))
    second = _seconds(lambda: session.post(url, json={"query": QUERY}))
    print(f"stream of all ads: {first:.2f} s with making the account, {second:.2f} s again")


def _seconds(action: Callable[[], object]) -> float:
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
