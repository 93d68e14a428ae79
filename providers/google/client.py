"""Read one Google Ads customer through streamed queries: one operation each, whatever their length."""

from collections.abc import Iterator
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import requests

from providers.base import AdAccountRef, Gate, Grant, Selection
from providers.errors import AccessDenied, ProviderError, ReconnectNeeded
from providers.google import queries
from providers.google.config import GoogleConfig
from providers.google.errors import TOKEN_EXPIRED, error_of, usage_of
from providers.google.oauth import AccessTokens
from providers.google.parse import account_record, records_of
from providers.google.stream import rows_of
from providers.http import Dialect, Http
from providers.records import AdAccountRecord, Page, Stream

GOOGLE = Dialect("Google", usage_of, error_of)
PAGE_ROWS = 2_000  # rows per page: a tenth of a second of merging, a few MB of memory
IDS_PER_QUERY = 1_000  # far below the 20,000 values that a filter may hold


class GoogleClient:
    """`providers.base.Client` for Google Ads."""

    def __init__(
        self,
        config: GoogleConfig,
        grant: Grant,
        ad_account: AdAccountRef,
        *,
        gate: Gate,
        session: requests.Session,
        page_size: int = PAGE_ROWS,
    ) -> None:
        self._config = config
        self._ad_account = ad_account
        self._tokens = AccessTokens(config, grant, session)
        self._http = Http(session, gate, GOOGLE)
        self._page_rows = page_size

    @property
    def calls(self) -> int:
        """Calls made so far; each query is one operation of the project's quota."""
        return self._http.calls

    def account(self) -> AdAccountRecord:
        """Describe the customer itself."""
        login = self._ad_account.login_customer_id
        return self._describe(self._ad_account.external_id, login)

    def accounts(self) -> Iterator[AdAccountRecord]:
        """Every customer that the grant reaches, directly or below a manager, each once."""
        seen: set[str] = set()
        for customer_id in self._accessible():
            for record in self._tree(customer_id):
                if record.external_id not in seen:
                    seen.add(record.external_id)
                    yield record

    def pages(self, stream: Stream, *, selection: Selection, cursor: str | None = None) -> Iterator[Page]:
        """Read a stream in the order of ids; the cursor is the last record's external id."""
        query = queries.walk(stream, campaign_ids=selection.campaign_ids, after=cursor)
        rows = self._rows(self._ad_account.external_id, query, self._ad_account.login_customer_id)
        zone = ZoneInfo(self._ad_account.time_zone or "UTC")
        records = (record for row in rows for record in records_of(stream, [row], zone))
        if cursor is not None and "~" in cursor:
            records = (record for record in records if _ad_key(record.external_id) > _ad_key(cursor))
        page = list(islice(records, self._page_rows))
        while True:
            following = list(islice(records, self._page_rows))
            yield Page(page, page[-1].external_id if following else None, None)
            if not following:
                return
            page = following

    def fetch(self, stream: Stream, external_ids: list[str]) -> list[str]:
        """Of these ids, the ones that Google still knows, removed ones included."""
        known: list[str] = []
        for start in range(0, len(external_ids), IDS_PER_QUERY):
            query = queries.by_ids(stream, external_ids[start : start + IDS_PER_QUERY])
            rows = self._rows(self._ad_account.external_id, query, self._ad_account.login_customer_id)
            known += [_external_id(row) for row in rows]
        return known

    def _accessible(self) -> list[str]:
        body = self._authorized("GET", "customers:listAccessibleCustomers", "").json()
        return [name.removeprefix("customers/") for name in body.get("resourceNames", [])]

    def _tree(self, customer_id: str) -> Iterator[AdAccountRecord]:
        """A customer and, below a manager, its clients; nothing when it can't be read."""
        try:
            root = self._describe(customer_id, customer_id)
            yield root
            if root.is_manager:
                for row in self._rows(customer_id, queries.CLIENTS, customer_id):
                    yield account_record(row["customerClient"], login_customer_id=customer_id)
        except AccessDenied:
            return

    def _describe(self, customer_id: str, login: str) -> AdAccountRecord:
        for row in self._rows(customer_id, queries.ACCOUNT, login):
            return account_record(row["customer"], login_customer_id="" if login == customer_id else login)
        raise ProviderError(f"Google describes no customer {customer_id}")

    def _rows(self, customer_id: str, query: str, login: str) -> Iterator[dict[str, Any]]:
        path = f"customers/{customer_id}/googleAds:searchStream"
        return rows_of(self._authorized("POST", path, login, json={"query": query}, stream=True))

    def _authorized(self, method: str, path: str, login: str, **request: Any) -> requests.Response:
        """Call with the current token; with a new one when that has expired."""
        url = f"{self._config.base}/{path}"
        try:
            return self._http.open(
                method, url, headers=self._headers(self._tokens.current(), login), **request
            )
        except ReconnectNeeded as exc:
            if exc.platform_code not in (TOKEN_EXPIRED, "ACCESS_TOKEN_EXPIRED"):
                raise
        return self._http.open(method, url, headers=self._headers(self._tokens.renew(), login), **request)

    def _headers(self, token: str, login: str) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {token}"}
        if login:
            headers["login-customer-id"] = login
        if self._config.developer_token:
            headers["developer-token"] = self._config.developer_token
        return headers


def _ad_key(external_id: str) -> tuple[int, int]:
    """The order in which Google sorts ads: by number, not by text."""
    group, _, ad = external_id.partition("~")
    return int(group), int(ad)


def _external_id(row: dict[str, Any]) -> str:
    """From the resource name: customers/1/campaigns/2 or customers/1/adGroupAds/3~4."""
    (resource,) = row.values()
    return str(resource["resourceName"].rpartition("/")[2])
