"""Read one Meta ad account, page by page."""

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import orjson
import requests

from providers.base import AdAccountRef, Gate, Grant, Selection
from providers.errors import ProviderError, TooMuchData
from providers.http import Dialect, Http
from providers.meta.config import MetaConfig
from providers.meta.cursor import Cursor
from providers.meta.errors import error_of
from providers.meta.fields import ACCOUNT_FIELDS, EDGES, FIELDS, LEVELS, STATUSES
from providers.meta.parse import account_record, records_of
from providers.meta.usage import usage_of
from providers.records import AdAccountRecord, Page, Stream

META = Dialect("Meta", usage_of, error_of)
PAGE_SIZE = 500  # limits count calls, not rows; larger pages meet "reduce the amount of data"
SMALLEST_PAGE = 25  # Meta's own default; below it something else is wrong
IDS_PER_CALL = 50  # keeps URLs under 2 kB: longer ones have been answered with 500


class MetaClient:
    """`providers.base.Client` for Meta."""

    def __init__(
        self,
        config: MetaConfig,
        grant: Grant,
        ad_account: AdAccountRef,
        *,
        gate: Gate,
        session: requests.Session,
        page_size: int = PAGE_SIZE,
    ) -> None:
        self._config = config
        self._grant = grant
        self._ad_account = ad_account
        self._http = Http(session, gate, META)
        self._limit = page_size

    @property
    def calls(self) -> int:
        """Calls made so far."""
        return self._http.calls

    def account(self) -> AdAccountRecord:
        """Describe the ad account itself."""
        return account_record(self._get(self._ad_account.external_id, {"fields": ACCOUNT_FIELDS}))

    def accounts(self) -> Iterator[AdAccountRecord]:
        """Every ad account that the token reaches."""
        after = None
        while True:
            params = {"fields": ACCOUNT_FIELDS, "limit": "100", **({"after": after} if after else {})}
            body = self._get("me/adaccounts", params)
            yield from (account_record(row) for row in body["data"])
            after = _after(body)
            if after is None:
                return

    def pages(self, stream: Stream, *, selection: Selection, cursor: str | None = None) -> Iterator[Page]:
        """Read a stream, all statuses included. A selection of campaigns is read in slices."""
        slices = _slices(selection.campaign_ids)
        at = Cursor.decode(cursor)
        while True:
            body = self._page(stream, slices[at.slice], at.after)
            following = at.following(_after(body), slices=len(slices))
            yield Page(
                records_of(stream, body["data"], self._ad_account.currency),
                following.encode() if following else None,
                _total(body) if len(slices) == 1 else None,
            )
            if following is None:
                return
            if following == at:
                raise ProviderError("Meta answered with the same page cursor again", trace_id="")
            at = following

    def fetch(self, stream: Stream, external_ids: list[str]) -> list[str]:
        """Of these ids, the ones that Meta still knows, in any status."""
        known: list[str] = []
        for ids in _slices(tuple(external_ids)):
            params = {
                "fields": "id",
                "limit": str(IDS_PER_CALL),
                **_with_statuses(stream),
                "filtering": _filter(f"{LEVELS[stream]}.id", ids),
            }
            body = self._get(f"{self._ad_account.external_id}/{EDGES[stream]}", params)
            known += [row["id"] for row in body["data"]]
        return known

    def _page(self, stream: Stream, ids: tuple[str, ...], after: str | None) -> dict[str, Any]:
        """One page; where Meta asks for less, a smaller one at once."""
        params = {"fields": FIELDS[stream], **_with_statuses(stream)}
        params |= {"after": after} if after else {"summary": "total_count"}
        if ids:
            params["filtering"] = _filter("campaign.id", ids)
        while True:
            try:
                return self._get(
                    f"{self._ad_account.external_id}/{EDGES[stream]}", {**params, "limit": str(self._limit)}
                )
            except TooMuchData:
                if self._limit <= SMALLEST_PAGE:
                    raise
                self._limit = max(SMALLEST_PAGE, self._limit // 2)

    def _get(self, path: str, params: dict[str, str]) -> dict[str, Any]:
        secret = self._grant.secret
        if self._config.app_secret:
            key, message = self._config.app_secret.encode(), secret.encode()
            params = {**params, "appsecret_proof": hmac.new(key, message, hashlib.sha256).hexdigest()}
        headers = {"Authorization": f"Bearer {secret}"}
        body: dict[str, Any] = self._http.json(
            "GET", f"{self._config.base}/{path}", params=params, headers=headers
        )
        return body


def _slices(ids: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The ids by call; one empty slice when there is nothing to select by."""
    return [ids[start : start + IDS_PER_CALL] for start in range(0, len(ids), IDS_PER_CALL)] or [()]


def _with_statuses(stream: Stream) -> dict[str, str]:
    return {"effective_status": orjson.dumps(STATUSES[stream]).decode()}


def _filter(field: str, ids: tuple[str, ...]) -> str:
    return orjson.dumps([{"field": field, "operator": "IN", "value": ids}]).decode()


def _after(body: dict[str, Any]) -> str | None:
    """The cursor of the next page. On the last one `after` stays, but `next` is absent."""
    paging = body.get("paging", {})
    return str(paging["cursors"]["after"]) if "next" in paging else None


def _total(body: dict[str, Any]) -> int | None:
    total = body.get("summary", {}).get("total_count")
    return int(total) if total is not None else None
