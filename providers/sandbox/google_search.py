"""`googleAds:search` by pages and `googleAds:searchStream` in chunks."""

import base64
import binascii
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from providers.sandbox.fault_kinds import FaultKind
from providers.sandbox.faults import Fault
from providers.sandbox.gaql import Query, parse
from providers.sandbox.google_errors import GoogleError, request_error
from providers.sandbox.google_query import rows_of
from providers.sandbox.google_writer import Row, Writer, camel, odd_writer, writer
from providers.sandbox.state import Sandbox
from providers.sandbox.wire import Reply, json_reply
from providers.sandbox.world import Account


def search(sandbox: Sandbox, account: Account, body: dict[str, Any], faults: Sequence[Fault]) -> Reply:
    """One page of a fixed size. The same query must come with the page token."""
    if "pageSize" in body:
        message = "Setting the page size is not supported: pages have a fixed size of 10000 rows."
        raise request_error("PAGE_SIZE_NOT_SUPPORTED", message, "page_size")
    query, rows = _rows(sandbox, account, body, faults)
    first = _read_token(body)
    if any(fault.kind == FaultKind.REPEAT_PAGE for fault in faults):
        first = max(0, first - sandbox.settings.google_page_rows)
    last = first + sandbox.settings.google_page_rows
    answer = _answer(query, _writer(query, faults), rows[first:last])
    if last < len(rows):
        answer["nextPageToken"] = _page_token(str(body["query"]), last)
    if body.get("searchSettings", {}).get("returnTotalResultsCount"):
        answer["totalResultsCount"] = str(len(rows))
    answer["queryResourceConsumption"] = str(len(rows))
    return json_reply(answer)


def search_stream(
    sandbox: Sandbox, account: Account, body: dict[str, Any], faults: Sequence[Fault], request_id: str
) -> Reply:
    """A JSON array that arrives object by object; a manager, which has no rows, answers `[]`."""
    query, rows = _rows(sandbox, account, body, faults)
    if not rows and account.is_manager:
        return json_reply([])
    broken = next((fault for fault in faults if fault.kind == FaultKind.STREAM_ERROR), None)
    size = sandbox.settings.google_chunk_rows
    good = broken.number("parts", 1) if broken else None
    chunks = _chunks(query, _writer(query, faults), rows, size, request_id, good=good)
    return Reply(parts=_array(chunks))


def _rows(
    sandbox: Sandbox, account: Account, body: dict[str, Any], faults: Sequence[Fault]
) -> tuple[Query, list[Row]]:
    if not body.get("query"):
        raise request_error("REQUIRED_FIELD_MISSING", "Required field is missing", "query")
    query = parse(str(body["query"]))
    rows = rows_of(sandbox, account, query)
    for fault in faults:
        if fault.kind == FaultKind.HIDE_ROWS:
            rows = rows[: -fault.number("rows", 1)]
        if fault.kind == FaultKind.REPEAT_ROWS:
            rows = rows + rows[-fault.number("rows", 1) :]
    return query, rows


def _answer(query: Query, write: Writer, rows: Sequence[Row]) -> dict[str, Any]:
    """Without rows there is no `results`."""
    written = {"results": [write(row) for row in rows]} if rows else {}
    return written | {"fieldMask": ",".join(".".join(map(camel, path.split("."))) for path in query.fields)}


def _writer(query: Query, faults: Sequence[Fault]) -> Writer:
    """What one of these faults makes of the rows."""
    for fault in faults:
        if fault.kind == FaultKind.UNKNOWN_WORDS:
            return odd_writer(query, word=fault.text("word", "UNKNOWN"))
        if fault.kind == FaultKind.UNKNOWN_KEYS:
            return odd_writer(query, keys=True)
    return writer(query)


def _chunks(
    query: Query, write: Writer, rows: list[Row], size: int, request_id: str, *, good: int | None
) -> Iterator[dict[str, Any]]:
    """The objects of the array; after `good` ones an error, if the stream is to break."""
    for number, first in enumerate(range(0, max(1, len(rows)), size)):
        if number == good:
            yield GoogleError(500, "internal", "INTERNAL_ERROR").body(request_id)
            return
        chunk = _answer(query, write, rows[first : first + size]) | {"requestId": request_id}
        if first + size >= len(rows):
            chunk["queryResourceConsumption"] = str(len(rows))
        yield chunk
    if good is not None:
        yield GoogleError(500, "internal", "INTERNAL_ERROR").body(request_id)


def _array(objects: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """One part per object: with the bracket or comma before it, the last one with the end."""
    before = b"["
    pending: bytes | None = None
    for item in objects:
        if pending is not None:
            yield pending
        pending = before + orjson.dumps(item)
        before = b",\r\n"
    if pending is not None:
        yield pending + b"]"


def _digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:16]


def _page_token(query: str, first: int) -> str:
    return base64.urlsafe_b64encode(f"{_digest(query)}:{first}".encode()).decode()


def _read_token(body: dict[str, Any]) -> int:
    """Where the page begins; a token belongs to its exact query."""
    token = str(body.get("pageToken", ""))
    if not token:
        return 0
    try:
        digest, _, first = base64.urlsafe_b64decode(token).decode().partition(":")
        start = int(first)
    except (binascii.Error, ValueError):
        digest, start = "", 0
    if digest != _digest(str(body["query"])):
        raise request_error("INVALID_PAGE_TOKEN", "Page token does not match the request.", "page_token")
    return start
