"""One answer on its way to the client, whole or damaged on purpose."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeVar

import orjson
from aiohttp import web

JSON = "application/json; charset=UTF-8"


@dataclass
class Reply:
    """`parts` are sent one after the other; what follows them is the end, or with `cut` a reset."""

    status: int = 200
    parts: Iterable[bytes] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    length: int | None = None  # the announced Content-Length; None: chunked
    delay: float = 0.0  # seconds before the first byte
    pause: float = 0.0  # seconds between parts
    cut: bool = False


def json_reply(body: object, status: int = 200) -> Reply:
    """A whole JSON answer."""
    return bytes_reply(orjson.dumps(body), status)


def bytes_reply(body: bytes, status: int = 200, content_type: str = JSON) -> Reply:
    return Reply(status=status, parts=(body,), length=len(body), content_type=content_type)


def bearer(request: web.Request) -> str:
    """The token of the Authorization header, or ""."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def pause(seconds: float) -> None:
    """Wait, without a thread; for no time at all without a turn of the loop either."""
    if seconds:
        await asyncio.sleep(seconds)


async def send(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Write an answer; drop the connection where the reply says so."""
    await pause(reply.delay)
    parts = iter(reply.parts)
    first, second = next(parts, None), next(parts, None)
    if second is None and not reply.cut:
        return _prepared(web.Response(body=first), reply)  # leaves in one packet, headers and all
    response = _prepared(web.StreamResponse(), reply)
    response.content_length = reply.length
    if first is None:
        return _reset(request, response)
    await response.prepare(request)
    await response.write(first)
    for part in parts if second is None else chain((second,), parts):
        await pause(reply.pause)
        await response.write(part)
    if reply.cut:
        return _hang_up(request, response)
    await response.write_eof()
    return response


R = TypeVar("R", bound=web.StreamResponse)


def _prepared(response: R, reply: Reply) -> R:
    """With status and headers."""
    response.set_status(reply.status)
    response.headers.update(reply.headers)
    response.headers["Content-Type"] = reply.content_type
    if reply.length is None:
        response.enable_chunked_encoding()
    return response


def _reset(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Reset the TCP connection without a word."""
    if request.transport is not None:
        request.transport.abort()
    return response


def _hang_up(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Close after what was written has left: a reset could overtake it, and the client's view would vary."""
    if request.transport is not None:
        request.transport.close()
    return response
