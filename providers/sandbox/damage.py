"""The faults that look the same at both platforms: what happens to an answer on its way."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from providers.sandbox.faults import Fault, FaultKind
from providers.sandbox.wire import Reply, bytes_reply

PAGE = (
    b"<!DOCTYPE html><html><head><title>Error</title></head><body>Sorry, something went wrong.</body></html>"
)


def damage(reply: Reply, faults: Iterable[Fault]) -> Reply:
    """The answer as these faults leave it."""
    for fault in faults:
        match fault.kind:
            case FaultKind.SLOW:
                reply = replace(
                    reply,
                    delay=reply.delay + fault.seconds("seconds", 1.0),
                    pause=fault.seconds("pause", 0.0),
                    parts=_drops(reply.parts) if fault.seconds("pause", 0.0) else reply.parts,
                )
            case FaultKind.HTML:
                page = bytes_reply(PAGE, fault.number("status", 502), "text/html; charset=utf-8")
                reply = replace(page, headers=reply.headers, delay=reply.delay)
            case FaultKind.CUT:
                reply = replace(reply, parts=_first(reply, fault.number("parts", 0)), cut=True)
            case FaultKind.TRUNCATED:
                body = b"".join(reply.parts)
                half = body[: len(body) // 2]
                reply = replace(reply, parts=(half,), length=len(half))
            case _:
                pass  # the platform's own: it is the answer already
    return reply


def _first(reply: Reply, parts: int) -> Iterable[bytes]:
    """So many parts of a stream; of an answer in one piece, its first half."""
    if reply.length is None or not parts:
        return islice(iter(reply.parts), parts)
    body = b"".join(reply.parts)
    return (body[: len(body) // 2],)


def _drops(parts: Iterable[bytes]) -> Iterator[bytes]:
    """A slow drip: quarters of each part."""
    for part in parts:
        size = max(1, -(-len(part) // 4))
        yield from (part[at : at + size] for at in range(0, len(part), size))
