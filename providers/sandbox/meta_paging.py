"""Meta's pages: the cursors, the envelope, and the faults that move rows between pages."""

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import urlencode

from providers.sandbox.fault_kinds import FaultKind
from providers.sandbox.faults import Fault
from providers.sandbox.meta_call import Call
from providers.sandbox.meta_errors import MetaError
from providers.sandbox.meta_query import parse_limit, wants_total
from providers.sandbox.state import Sandbox

Row = TypeVar("Row")
MARK = "QVFIUi"


class Pager:
    """Pages of one call. A row's key is a number; rows are in the ascending order of their keys, so that a
    page begins after the cursor's row, whether or not that is still there."""

    def __init__(self, sandbox: Sandbox, call: Call, faults: Sequence[Fault] = ()) -> None:
        self._sandbox = sandbox
        self._call = call
        self._faults = faults
        self._limit = parse_limit(call.params)

    def page(
        self, rows: Sequence[Row], key: Callable[[Row], int], write: Callable[[Row], dict[str, Any]]
    ) -> dict[str, Any]:
        """The page that the call asks for."""
        first = self._first(rows, key)
        last = first + min(self._limit, len(rows) - first)
        for fault in self._faults:
            if fault.kind == FaultKind.REPEAT_ROWS:
                first = max(0, first - fault.number("rows", 1))
            if fault.kind == FaultKind.REPEAT_PAGE:
                first, last = max(0, first - self._limit), first
        shown = rows[first:last]
        for fault in self._faults:
            if fault.kind == FaultKind.HIDE_ROWS:
                shown = shown[: -fault.number("rows", 1)]
        page: dict[str, Any] = {"data": [write(row) for row in shown]}
        if last > first:
            page["paging"] = self._paging(key(rows[first]), key(rows[last - 1]), first > 0, last < len(rows))
        if wants_total(self._call.params):
            page["summary"] = {"total_count": len(rows)}
        return page

    def _first(self, rows: Sequence[Row], key: Callable[[Row], int]) -> int:
        params = self._call.params
        if "before" in params:
            return max(0, bisect_left(rows, self._key(params["before"]), key=key) - self._limit)
        return bisect_right(rows, self._key(params["after"]), key=key) if params.get("after") else 0

    def _paging(self, first: int, last: int, earlier: bool, more: bool) -> dict[str, Any]:
        """On the last page `cursors.after` stays and `next` is absent."""
        before, after = self._cursor(first), self._cursor(last)
        paging: dict[str, Any] = {"cursors": {"before": before, "after": after}}
        if more:
            paging["next"] = self._url(after=after)
        if earlier:
            paging["previous"] = self._url(before=before)
        return paging

    def _cursor(self, key: int) -> str:
        """Where cursors are forgotten, each holds the time of its making."""
        born = f".{self._sandbox.clock()}" if self._sandbox.settings.meta_cursor_seconds else ""
        return base64.urlsafe_b64encode(f"{MARK}{key}{born}".encode()).decode().rstrip("=")

    def _key(self, cursor: str) -> int:
        try:
            text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
            key, _, born = text.removeprefix(MARK).partition(".")
            age = self._sandbox.clock() - float(born) if born else 0.0
            if age <= self._sandbox.settings.meta_cursor_seconds:
                return int(key)
        except (binascii.Error, ValueError):
            pass
        raise MetaError(2642)

    def _url(self, **cursor: str) -> str:
        """As Meta does, with the access token in it."""
        call, own = self._call, ("after", "before", "access_token")
        rest = {name: value for name, value in call.params.items() if name not in own}
        query = urlencode({"access_token": call.token} | rest | cursor)
        return f"{call.base}/{call.version}/{call.path}?{query}"
