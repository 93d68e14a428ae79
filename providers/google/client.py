"""Read one Google Ads customer through streamed queries: one operation each, whatever their length."""

from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import requests

from providers.base import AdAccountRef, Breaker, Gate, Grant, NoBreaker, Selection
from providers.errors import AccessDenied, PlatformFault, ProviderError, ReconnectNeeded
from providers.google import queries
from providers.google.config import GoogleConfig
from providers.google.errors import error_of, is_renewable, usage_of
from providers.google.oauth import AccessTokens
from providers.google.parse import account_record, records_of
from providers.google.stream import Row, chunks_of
from providers.google.walk import Walk
from providers.http import Answer, Dialect, Http, reading
from providers.records import AdAccountRecord, Page, Record, Stream

GOOGLE = Dialect("Google", usage_of, error_of)
PAGE_ROWS = 2_000  # rows per page: a few ms of merging each, a few MB of memory
IDS_PER_QUERY = 1_000  # a query of 12 kB; a filter may hold 20,000 values


class GoogleClient:
    """`providers.base.Client` for Google Ads."""

    ids_per_call = IDS_PER_QUERY

    def __init__(
        self,
        config: GoogleConfig,
        grant: Grant,
        ad_account: AdAccountRef,
        *,
        gate: Gate,
        session: requests.Session,
        breaker: Breaker | None = None,
        page_size: int = PAGE_ROWS,
    ) -> None:
        self._config = config
        self._ad_account = ad_account
        self._tokens = AccessTokens(config, grant, session)
        self._http = Http(session, gate, breaker or NoBreaker(), GOOGLE)
        self._page_rows = page_size

    @property
    def calls(self) -> int:
        """Calls made so far; each query is one operation of the project's quota."""
        return self._http.calls

    def account(self) -> AdAccountRecord:
        """Describe the customer itself."""
        return self._describe(self._ad_account.external_id, self._ad_account.login_customer_id)

    def accounts(self) -> Iterator[AdAccountRecord]:
        """Every customer that the grant reaches, directly or below a manager, each once."""
        seen: set[str] = set()
        for customer_id in self._accessible():
            for record in self._tree(customer_id):
                if record.external_id not in seen:
                    seen.add(record.external_id)
                    yield record

    def pages(self, stream: Stream, *, selection: Selection, cursor: str | None = None) -> Iterator[Page]:
        """Read a stream in the order of ids; the cursor is the last record's external id.

        What came before a cut is yielded before its error: a long stream gets on, however often it breaks.
        """
        query = queries.walk(stream, campaign_ids=selection.campaign_ids, after=cursor)
        walk, records = Walk(cursor), list[Record]()
        try:
            for rows in self._chunks(query):
                with reading("Google"):
                    records += walk.fresh(records_of(stream, rows, self._zone))
                while (
                    len(records) > self._page_rows
                ):  # a full page waits: only the end tells which is the last
                    page, records = records[: self._page_rows], records[self._page_rows :]
                    yield Page(page, page[-1].external_id, None)
        except ProviderError:
            if records:
                yield Page(records, records[-1].external_id, None)
            raise
        yield Page(records, None, None)

    def fetch(self, stream: Stream, external_ids: list[str]) -> list[str]:
        """Of these ids, the ones that Google still knows, removed ones included."""
        known: set[str] = set()
        for start in range(0, len(external_ids), IDS_PER_QUERY):
            for rows in self._chunks(queries.by_ids(stream, external_ids[start : start + IDS_PER_QUERY])):
                with reading("Google"):
                    known.update(queries.external_id(stream, row) for row in rows)
        return [external_id for external_id in external_ids if external_id in known]

    def _accessible(self) -> list[str]:
        with self._http.watching("customers"):
            body = self._call("GET", "customers:listAccessibleCustomers").json()
        with reading("Google"):
            return [name.removeprefix("customers/") for name in body.get("resourceNames", [])]

    def _tree(self, customer_id: str) -> Iterator[AdAccountRecord]:
        """A customer and, below a manager, its clients; nothing when it can't be read."""
        try:
            root = self._describe(customer_id, customer_id)
            yield root
            if root.is_manager:
                for row in self._query(queries.CLIENTS, customer_id, customer_id):
                    with reading("Google"):
                        record = account_record(row["customerClient"], login_customer_id=customer_id)
                    yield record
        except AccessDenied:
            return  # closed or suspended: its neighbours may be fine

    def _describe(self, customer_id: str, login: str) -> AdAccountRecord:
        rows = list(self._query(queries.ACCOUNT, customer_id, login))
        if not rows:
            raise PlatformFault(f"Google describes no customer {customer_id}")
        with reading("Google"):
            return account_record(
                rows[0]["customer"], login_customer_id="" if login == customer_id else login
            )

    def _query(self, query: str, customer_id: str, login: str) -> Iterator[Row]:
        for rows in self._search(query, customer_id, login):
            yield from rows

    def _chunks(self, query: str) -> Iterator[list[Row]]:
        """The rows of the client's own customer, as they arrive."""
        return self._search(query, self._ad_account.external_id, self._ad_account.login_customer_id)

    def _search(self, query: str, customer_id: str, login: str) -> Iterator[list[Row]]:
        path = f"customers/{customer_id}/googleAds:searchStream"
        with self._http.watching("queries") as answers:
            for rows in self._read(self._call("POST", path, login, json={"query": query})):
                answers()  # a stream that breaks later is one stream's fault
                yield rows

    def _call(self, method: str, path: str, login: str = "", **request: Any) -> Answer:
        """Call with the current access token, and once more with a new one where that may help."""
        url, headers = f"{self._config.base}/{path}", self._headers(login)
        try:
            return self._http.open(method, url, token=self._tokens.current(), headers=headers, **request)
        except ProviderError as exc:
            if not is_renewable(exc):
                raise
        return self._http.open(method, url, token=self._tokens.renew(), headers=headers, **request)

    def _read(self, answer: Answer) -> Iterator[list[Row]]:
        """The answer's rows. A token that ends within it is renewed, for the grant may be as good as ever."""
        try:
            yield from chunks_of(answer)
        except ReconnectNeeded as exc:
            if not is_renewable(exc):
                raise
        else:
            return
        self._tokens.renew()
        raise PlatformFault("The access token ended within Google's answer")

    def _headers(self, login: str) -> dict[str, str]:
        told = {"login-customer-id": login, "developer-token": self._config.developer_token}
        return {name: value for name, value in told.items() if value}

    def _zone(self) -> ZoneInfo:
        """Asked for where it was not given: times read in a wrong one are wrong by hours."""
        if not self._ad_account.time_zone:
            self._ad_account = self._ad_account._replace(time_zone=self.account().time_zone)
        return ZoneInfo(self._ad_account.time_zone)
