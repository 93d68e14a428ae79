"""Read one Google Ads customer through streamed queries: one operation each, whatever their length."""

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from providers.base import AdAccountRef, Breaker, Gate, Grant, NoBreaker, Selection
from providers.errors import AccessDenied, PlatformFault
from providers.google import changes, edits, queries
from providers.google.calls import Calls
from providers.google.config import GoogleConfig
from providers.google.insights import Insights
from providers.google.paging import paged
from providers.google.parse import account_record, records_of
from providers.google.parts import IDS_PER_QUERY, Part, Place, parts_of, place_of
from providers.google.stream import Row
from providers.google.walk import walk_of
from providers.http import reading
from providers.pseudonym import pseudonym_of
from providers.records import AdAccountRecord, Edit, InsightPage, InsightSlice, Page, Record, Stream
from providers.session import Session

PAGE_ROWS = 2_000  # rows per page: a few ms of merging each, a few MB of memory


class GoogleClient:
    """`providers.base.Client` for Google Ads."""

    ids_per_call = IDS_PER_QUERY
    rows_per_call = None

    def __init__(
        self,
        config: GoogleConfig,
        grant: Grant,
        ad_account: AdAccountRef,
        *,
        gate: Gate,
        session: Session,
        breaker: Breaker | None = None,
        page_size: int = PAGE_ROWS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._ad_account = ad_account
        self._calls = Calls(config, grant, gate=gate, session=session, breaker=breaker or NoBreaker())
        self._page_rows = page_size
        self._clock = clock

    @property
    def calls(self) -> int:
        """Calls made so far; each query is one operation of the project's quota."""
        return self._calls.count

    def account(self) -> AdAccountRecord:
        """Describe the customer itself."""
        return self._describe(self._ad_account.external_id, self._ad_account.login_customer_id)

    def accounts(self) -> Iterator[AdAccountRecord]:
        """Every customer that the grant reaches, directly or below a manager, each once."""
        seen: set[str] = set()
        for customer_id in self._calls.accessible():
            for record in () if customer_id in seen else self._tree(customer_id):
                if record.external_id not in seen:
                    seen.add(record.external_id)
                    yield record

    def changed(self, since: datetime) -> Selection | None:
        """What changed after `since`, by one query, and one more where a budget does not tell its campaigns.

        None where only a full pass can tell: more than 10,000 changes, or a time that Google forgot.
        """
        return changes.since(since, self._now(), self._chunks)

    def changes_by(self, since: datetime, until: datetime) -> Iterator[Edit]:
        """Who changed what, the oldest first, by one query: of the last 30 days, and the oldest 10,000."""
        return edits.between(since, until, self._now(), self._chunks, self._pseudonym)

    def pages(self, stream: Stream, *, selection: Selection, cursor: str | None = None) -> Iterator[Page]:
        """Read a stream in the order of ids; the cursor is the last record's external id, where the
        selection takes several queries with their number before it.

        What came before a cut is yielded before its error: a long stream gets on, however often it breaks.
        """
        parts = parts_of(stream, selection)
        first, after = place_of(cursor, parts) if parts else Place()
        for number, part in enumerate(parts[first:], start=first):
            for records, is_end in paged(self._walk(stream, part, after), self._page_rows):
                if is_end and part is parts[-1]:
                    yield Page(records, None, None)
                elif records:
                    place = Place(number + 1) if is_end else Place(number, records[-1].external_id)
                    yield Page(records, place.cursor, None)
            after = None
        if not parts:
            yield Page([], None, None)

    def insights(
        self,
        slice: InsightSlice,
        *,
        attribution: str = "",
        cursor: str | None = None,
        expected_rows: int = 0,
    ) -> Iterator[InsightPage]:
        """Read a slice page by page: one operation, two with conversions by type, however many rows come."""
        insights = Insights(self._chunks, self._currency(), self._now().date())
        return insights.pages(slice, attribution=attribution, cursor=cursor, size=self._page_rows)

    def narrower(self, slice: InsightSlice) -> list[InsightSlice]:
        """Nothing is narrower: Google streams an answer, however long it is."""
        return []

    def fetch(self, stream: Stream, external_ids: list[str]) -> list[str]:
        """Of these ids, the ones that Google still knows, removed ones included."""
        known: set[str] = set()
        for start in range(0, len(external_ids), IDS_PER_QUERY):
            for rows in self._chunks(queries.by_ids(stream, external_ids[start : start + IDS_PER_QUERY])):
                with reading("Google"):
                    known.update(queries.external_id(stream, row) for row in rows)
        return [external_id for external_id in external_ids if external_id in known]

    def _walk(self, stream: Stream, part: Part, after: str | None) -> Iterator[list[Record]]:
        """A part's records behind `after`, as they arrive."""
        walk = walk_of(after)
        for rows in self._chunks(queries.walk(stream, conditions=part.conditions, after=after)):
            with reading("Google"):
                records = walk.fresh(records_of(stream, rows, self._zone))
            yield [one for one in records if part.only is None or one.external_id in part.only]

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
        for rows in self._calls.query(query, customer_id, login):
            yield from rows

    def _chunks(self, query: str) -> Iterator[list[Row]]:
        """The rows of the client's own customer, as they arrive."""
        return self._calls.query(query, self._ad_account.external_id, self._ad_account.login_customer_id)

    def _pseudonym(self, email: str) -> str:
        return pseudonym_of(email, secret=self._config.client_secret, account_id=self._ad_account.external_id)

    def _now(self) -> datetime:
        """By the customer's clock."""
        return datetime.fromtimestamp(self._clock(), self._zone())

    def _zone(self) -> ZoneInfo:
        """Asked for where it was not given: times read in a wrong one are wrong by hours."""
        return ZoneInfo(self._told("time_zone"))

    def _currency(self) -> str:
        return self._told("currency")

    def _told(self, name: str) -> str:
        if not getattr(self._ad_account, name):
            account = self.account()
            self._ad_account = self._ad_account._replace(
                currency=account.currency, time_zone=account.time_zone
            )
        return str(getattr(self._ad_account, name))
