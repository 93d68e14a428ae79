"""Read one Meta ad account, page by page."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import requests

from providers.base import AdAccountRef, Breaker, Gate, Grant, NoBreaker, Selection
from providers.errors import PlatformFault, TooMuchData
from providers.http import Dialect, Http, reading
from providers.meta.config import MetaConfig
from providers.meta.cursor import Cursor
from providers.meta.errors import error_of
from providers.meta.fields import ACCOUNT_FIELDS, EDGES, FIELDS, LEVELS, STATUSES
from providers.meta.oauth import proof
from providers.meta.parse import account_record, ids_of, records_of
from providers.meta.usage import ADS_MANAGEMENT, usage_of
from providers.records import AdAccountRecord, Page, Stream
from providers.values import Values

META = Dialect("Meta", usage_of, error_of)
PAGE_SIZE = 500  # limits count calls, not rows; larger pages meet "reduce the amount of data"
SMALLEST_PAGE = 25  # Meta's own default; below it something else is wrong
IDS_PER_CALL = 50  # makes URLs of 2 kB: much longer ones have been answered with 500
ACCOUNTS = "ad accounts"  # the endpoint that describes them, beside those of the streams
ACCOUNTS_PER_PAGE = 100  # few fields each; hardly anybody has more

Body = dict[str, Any]


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
        session: requests.Session,
        breaker: Breaker | None = None,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._config = config
        self._grant = grant
        self._ad_account = ad_account
        self._http = Http(session, gate, breaker or NoBreaker(), META)
        self._limit = page_size

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._http.calls

    def account(self) -> AdAccountRecord:
        """Describe the ad account itself."""
        body = self._read("", {"fields": ACCOUNT_FIELDS})
        with reading("Meta"):
            return account_record(body)

    def accounts(self) -> Iterator[AdAccountRecord]:
        """Every ad account that the token reaches, closed ones too."""
        params = {"fields": ACCOUNT_FIELDS, "limit": str(ACCOUNTS_PER_PAGE)}
        at: Cursor | None = Cursor()
        seen = set[Cursor]()
        while at is not None:
            _check_progress(at, seen)
            body = self._get("me/adaccounts", params | _continuing(at), endpoint=ACCOUNTS)
            with reading("Meta"):
                records = [account_record(row) for row in body["data"]]
                at = at.following(_after(body), slices=1)
            yield from records

    def pages(self, stream: Stream, *, selection: Selection, cursor: str | None = None) -> Iterator[Page]:
        """Read a stream, all statuses included. A selection of campaigns is read in slices."""
        slices = _slices(selection.campaign_ids)
        at: Cursor | None = Cursor.decode(cursor, slices=len(slices))
        seen = set[Cursor]()
        while at is not None:
            _check_progress(at, seen)
            body = self._page(stream, slices[at.slice], at)
            currency = self._currency()
            with reading("Meta"):
                records = records_of(stream, body["data"], currency)
                at = at.following(_after(body), slices=len(slices))
                total = _total(body) if len(slices) == 1 else None
            yield Page(records, at.encode() if at else None, total)

    def fetch(self, stream: Stream, external_ids: list[str]) -> list[str]:
        """Of these ids, the ones that Meta still knows, in any status."""
        known: list[str] = []
        for ids in _slices(external_ids) if external_ids else ():
            params = {
                "fields": "id",
                "limit": str(IDS_PER_CALL),
                "effective_status": _json(STATUSES[stream]),
                "filtering": _among(f"{LEVELS[stream]}.id", ids),
            }
            body = self._read(EDGES[stream], params)
            with reading("Meta"):
                known += ids_of(body["data"])
        return known

    def _page(self, stream: Stream, ids: Sequence[str], at: Cursor) -> Body:
        """One page; where Meta asks for less, a smaller one at once."""
        params = {"fields": FIELDS[stream], "effective_status": _json(STATUSES[stream])} | _continuing(at)
        if ids:
            params["filtering"] = _among("campaign.id", ids)
        if not at.after:
            params["summary"] = "total_count"
        while True:
            try:
                return self._read(EDGES[stream], params | {"limit": str(self._limit)})
            except TooMuchData:
                if self._limit <= SMALLEST_PAGE:
                    raise
            self._limit = max(SMALLEST_PAGE, self._limit // 2)

    def _read(self, edge: str, params: dict[str, str]) -> Body:
        """Something of the ad account: Meta meters these calls by what they are for."""
        path = "/".join(filter(None, (self._ad_account.external_id, edge)))
        return self._get(path, params, endpoint=edge or ACCOUNTS, use_case=ADS_MANAGEMENT)

    def _get(self, path: str, params: dict[str, str], *, endpoint: str, use_case: str = "") -> Body:
        token, app_secret = self._grant.secret, self._config.app_secret
        if app_secret:
            params = params | {"appsecret_proof": proof(token, app_secret)}
        url = f"{self._config.base}/{path}"
        asked = {"endpoint": endpoint, "use_case": use_case}
        return self._http.json("GET", url, token=token, params=params, **asked)

    def _currency(self) -> str:
        """Asked for where it was not given: budgets read in a wrong one are wrong by a factor of 100."""
        if not self._ad_account.currency:
            self._ad_account = self._ad_account._replace(currency=self.account().currency)
        return self._ad_account.currency


def _slices(ids: Sequence[str]) -> list[Sequence[str]]:
    """The ids by call; one empty slice when there is nothing to select by."""
    return [ids[start : start + IDS_PER_CALL] for start in range(0, len(ids), IDS_PER_CALL)] or [()]


def _continuing(at: Cursor) -> dict[str, str]:
    return {"after": at.after} if at.after else {}


def _check_progress(at: Cursor, seen: set[Cursor]) -> None:
    """A cursor that comes back would be followed for ever, each time for a call."""
    if at in seen:
        raise PlatformFault("Meta answered with a page cursor that it had given before")
    seen.add(at)


def _among(field: str, ids: Sequence[str]) -> str:
    return _json([{"field": field, "operator": "IN", "value": ids}])


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _after(body: Body) -> str:
    """The cursor of the next page, or nothing. On the last one `after` stays, but `next` is absent."""
    paging = body.get("paging", {})
    return str(paging["cursors"]["after"]) if "next" in paging else ""


def _total(body: Body) -> int | None:
    """For the progress that people see, so an odd one is none."""
    read = Values()
    return read.number(read.row(body.get("summary", {})).get("total_count"))
