"""Read one Meta ad account, page by page."""

from collections.abc import Iterator
from datetime import datetime

from providers.base import AdAccountRef, Breaker, Gate, Grant, NoBreaker, Selection
from providers.errors import PlatformFault, ProviderError, TooMuchData
from providers.http import Dialect, Http, reading
from providers.meta.activities import between
from providers.meta.batch import MAX_BATCH, Ask, Reply
from providers.meta.config import MetaConfig
from providers.meta.cursor import Cursor
from providers.meta.errors import error_of
from providers.meta.fields import ACCOUNT_FIELDS, EDGES, LEVELS
from providers.meta.graph import Body, Graph, Params, Walk, after_of, continuing
from providers.meta.insights import Insights
from providers.meta.parse import account_record, ids_of, records_of
from providers.meta.selection import IDS_PER_CALL, Listing, Slice, short_listings, slices_of
from providers.meta.usage import ADS_MANAGEMENT, usage_of
from providers.pseudonym import pseudonym_of
from providers.records import AdAccountRecord, Edit, InsightPage, InsightSlice, Page, Stream
from providers.session import Session
from providers.values import Values

META = Dialect("Meta", usage_of, error_of)
PAGE_SIZE = 500  # limits count calls, not rows; larger pages meet "reduce the amount of data"
SMALLEST_PAGE = 25  # Meta's own default; below it something else is wrong
ACCOUNTS = "ad accounts"  # the endpoint that describes them, beside those of the streams
BATCH, BATCH_TIMEOUT = "batch", "960"
ACCOUNTS_PER_PAGE = 100  # few fields each; hardly anybody has more


class MetaClient:
    """`providers.base.Client` for Meta."""

    ids_per_call = IDS_PER_CALL

    def __init__(
        self,
        config: MetaConfig,
        grant: Grant,
        ad_account: AdAccountRef,
        *,
        gate: Gate,
        session: Session,
        breaker: Breaker | None = None,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._config = config
        self._ad_account = ad_account
        self._graph = Graph(config, grant, Http(session, gate, breaker or NoBreaker(), META))
        self._insights = Insights(self._graph, ad_account.external_id, self._currency)
        self._limit = page_size
        self._together = MAX_BATCH
        self._replies: dict[Listing, Reply] = {}  # read ahead, until they are asked for

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._graph.http.calls

    @property
    def rows_per_call(self) -> int:
        """A page's; fewer once Meta asked for less."""
        return self._limit

    def account(self) -> AdAccountRecord:
        """Describe the ad account itself."""
        body = self._read("", {"fields": ACCOUNT_FIELDS})
        with reading("Meta"):
            return account_record(body)

    def accounts(self) -> Iterator[AdAccountRecord]:
        """Every ad account that the token reaches, closed ones too."""
        params = {"fields": ACCOUNT_FIELDS, "limit": str(ACCOUNTS_PER_PAGE)}
        at: Cursor | None = Cursor()
        walk = Walk()
        while at is not None:
            walk.step(at)
            body = self._graph.get("me/adaccounts", params | continuing(at.after), endpoint=ACCOUNTS)
            with reading("Meta"):
                records = [account_record(row) for row in body["data"]]
                at = at.following(after_of(body), slices=1)
            yield from records

    def changed(self, since: datetime) -> Selection:
        """What changed after `since`: Meta's listings can tell by themselves, so this makes no call."""
        return Selection(since=since)

    def changes_by(self, since: datetime, until: datetime) -> Iterator[Edit]:
        """Who changed what, the oldest first, by one call: the newest 500 changes."""
        account = self._ad_account.external_id

        def pseudonym(actor: str) -> str:
            return pseudonym_of(actor, secret=self._config.app_secret, account_id=account)

        return between(self._graph, account, since, until, pseudonym)

    def pages(self, stream: Stream, *, selection: Selection, cursor: str | None = None) -> Iterator[Page]:
        """Read a stream, all statuses included; what is chosen by ids, in slices of them."""
        slices = slices_of(stream, selection)
        if not slices:
            yield Page([], None, 0)
            return
        at: Cursor | None = Cursor.decode(cursor, slices=len(slices))
        walk = Walk()
        while at is not None:
            walk.step(at)
            body = self._page(Listing(stream, slices[at.slice], selection.since), selection, at.after)
            currency = self._currency()
            with reading("Meta"):
                records = records_of(stream, body["data"], currency)
                at = at.following(after_of(body), slices=len(slices))
                total = _total(body) if len(slices) == 1 else None
            yield Page(records, at.encode() if at else None, total)

    def fetch(self, stream: Stream, external_ids: list[str]) -> list[str]:
        """Of these ids, the ones that Meta still knows, in any status."""
        known: list[str] = []
        for start in range(0, len(external_ids), IDS_PER_CALL):
            part = Slice(LEVELS[stream], tuple(external_ids[start : start + IDS_PER_CALL]))
            params = {"fields": "id", "limit": str(IDS_PER_CALL)} | Listing(stream, part).filters()
            body = self._read(EDGES[stream], params)
            with reading("Meta"):
                known += ids_of(body["data"])
        return known

    def insights(
        self, slice: InsightSlice, *, attribution: str = "", cursor: str | None = None, expected_rows: int = 0
    ) -> Iterator[InsightPage]:
        """Read a slice page by page; `providers.meta.insights` tells how."""
        return self._insights.pages(
            slice, attribution=attribution, cursor=cursor, expected_rows=expected_rows
        )

    def narrower(self, slice: InsightSlice) -> list[InsightSlice]:
        """By campaigns, then by their ad groups, then by fields; `providers.meta.parents` tells how."""
        return self._insights.parents.narrower(slice)

    def _page(self, listing: Listing, selection: Selection, after: str) -> Body:
        """One page, from what was read ahead where that has it; where Meta asks for less, a smaller one at
        once."""
        reply = None if after else self._ahead(listing, selection)
        if isinstance(reply, dict):
            return reply
        if isinstance(reply, ProviderError) and not isinstance(reply, TooMuchData):
            raise reply
        while True:
            try:
                return self._read(EDGES[listing.stream], listing.params(after, self._limit))
            except TooMuchData:
                if self._limit <= SMALLEST_PAGE:
                    raise
            self._limit = max(SMALLEST_PAGE, self._limit // 2)

    def _ahead(self, listing: Listing, selection: Selection) -> Reply:
        """The first page of a short listing, read together with those that come next; None: to be asked for
        by itself."""
        if listing not in self._replies:
            wanted = short_listings(listing, selection)[: self._together]
            self._replies = dict(zip(wanted, self._read_together(wanted), strict=False))
        return self._replies.pop(listing, None)

    def _read_together(self, wanted: list[Listing]) -> list[Reply]:
        """The first pages of listings; none where they are better asked for one by one."""
        if len(wanted) < 2:
            return []
        account = self._ad_account.external_id
        asks = [Ask(f"{account}/{EDGES[one.stream]}", one.params("", self._limit)) for one in wanted]
        try:
            return self._graph.batch(asks, endpoint=BATCH, use_case=ADS_MANAGEMENT)
        except PlatformFault as error:
            if not error.platform_code.startswith(BATCH_TIMEOUT):
                raise
        self._together //= 2
        return []

    def _read(self, edge: str, params: Params) -> Body:
        """Something of the ad account: Meta meters these calls by what they are for."""
        path = "/".join(filter(None, (self._ad_account.external_id, edge)))
        return self._graph.get(path, params, endpoint=edge or ACCOUNTS, use_case=ADS_MANAGEMENT)

    def _currency(self) -> str:
        """Asked for where it was not given: budgets read in a wrong one are wrong by a factor of 100."""
        if not self._ad_account.currency:
            self._ad_account = self._ad_account._replace(currency=self.account().currency)
        return self._ad_account.currency


def _total(body: Body) -> int | None:
    """For the progress that people see, so an odd one is none."""
    read = Values()
    return read.number(read.row(body.get("summary", {})).get("total_count"))
