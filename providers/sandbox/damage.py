"""The faults that look the same at both platforms: what happens to an answer on its way."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice

from providers.sandbox.fault_kinds import FaultKind
from providers.sandbox.faults import Fault
from providers.sandbox.wire import Ending, Reply, bytes_reply

PAGE = (
    b"<!DOCTYPE html><html><head><title>Error</title></head><body>Sorry, something went wrong.</body></html>"
)
WRONG = '{"unexpected":true}'  # JSON, and nothing that a client knows
ELSEWHERE = "https://elsewhere.invalid/"


def damage(reply: Reply, faults: Iterable[Fault]) -> Reply:
    """The answer as these faults leave it."""
    for fault in faults:
        if harm := _HARMS.get(fault.kind):  # those that are the platform's own are the answer already
            reply = harm(reply, fault)
    return reply


def _instead(reply: Reply, body: bytes, status: int, content_type: str = "") -> Reply:
    """Another body, with the headers and the delay of this one."""
    other = bytes_reply(body, status, content_type or reply.content_type)
    return replace(other, headers=reply.headers, delay=reply.delay)


def _slow(reply: Reply, fault: Fault) -> Reply:
    pause = fault.seconds("pause", 0.0)
    return replace(
        reply,
        delay=reply.delay + fault.seconds("seconds", 1.0),
        pause=pause,
        parts=_drops(reply.parts) if pause else reply.parts,
    )


def _drops(parts: Iterable[bytes]) -> Iterator[bytes]:
    """A slow drip: quarters of each part."""
    for part in parts:
        size = max(1, -(-len(part) // 4))
        yield from (part[at : at + size] for at in range(0, len(part), size))


def _odd_headers(reply: Reply, fault: Fault) -> Reply:
    """Their names in another case, as within a batch, or none at all."""
    if fault.text("form", "lower") == "missing":
        return replace(reply, headers={})
    return replace(reply, headers={name.lower(): value for name, value in reply.headers.items()})


def _html(reply: Reply, fault: Fault) -> Reply:
    return _instead(reply, PAGE, fault.number("status", 502), "text/html; charset=utf-8")


def _redirect(reply: Reply, fault: Fault) -> Reply:
    elsewhere = _instead(reply, b"", fault.number("status", 302))
    return replace(elsewhere, headers={**reply.headers, "Location": fault.text("url", ELSEWHERE)})


def _empty(reply: Reply, fault: Fault) -> Reply:
    return _instead(reply, b"", fault.number("status", 200))


def _wrong_json(reply: Reply, fault: Fault) -> Reply:
    return _instead(reply, fault.text("text", WRONG).encode(), fault.number("status", 200))


def _truncated(reply: Reply, _: Fault) -> Reply:
    body = b"".join(reply.parts)
    half = body[: len(body) // 2]
    return replace(reply, parts=(half,), length=len(half))


def _wrong_length(reply: Reply, fault: Fault) -> Reply:
    """Announced too long, the body ends early; too short, its rest spills into the next answer."""
    body, by = b"".join(reply.parts), fault.number("by", 100)
    if by > 0:
        return replace(reply, parts=(body,), length=len(body) + by, ending=Ending.CUT)
    length = max(0, len(body) + by)
    return replace(reply, parts=(body[:length],), length=length, surplus=body[length:])


def _broken_off(ending: Ending) -> Callable[[Reply, Fault], Reply]:
    def harm(reply: Reply, fault: Fault) -> Reply:
        parts = _first(reply, fault.number("parts", 0))
        return replace(reply, parts=parts, ending=ending, headers_first=fault.flag("headers", default=False))

    return harm


def _first(reply: Reply, parts: int) -> Iterable[bytes]:
    """So many parts of a stream; of an answer in one piece, its first half."""
    if reply.length is None or not parts:
        return islice(iter(reply.parts), parts)
    body = b"".join(reply.parts)
    return (body[: len(body) // 2],)


_HARMS: dict[FaultKind, Callable[[Reply, Fault], Reply]] = {
    FaultKind.SLOW: _slow,
    FaultKind.ODD_HEADERS: _odd_headers,
    FaultKind.HTML: _html,
    FaultKind.REDIRECT: _redirect,
    FaultKind.EMPTY: _empty,
    FaultKind.WRONG_JSON: _wrong_json,
    FaultKind.TRUNCATED: _truncated,
    FaultKind.WRONG_LENGTH: _wrong_length,
    FaultKind.CUT: _broken_off(Ending.CUT),
    FaultKind.SILENCE: _broken_off(Ending.SILENCE),
}
