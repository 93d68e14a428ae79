"""One answer on its way to the client, whole or damaged on purpose."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from typing import TypeVar

import orjson
from aiohttp import web

JSON = "application/json; charset=UTF-8"


LISTENING_SECONDS = 0.2  # between two looks whether the client of a silent call is still there


class Ending(StrEnum):
    """What follows the parts of an answer."""

    WHOLE = "whole"
    CUT = "cut"  # the connection is dropped
    SILENCE = "silence"  # it stays, and nothing comes any more


@dataclass
class Reply:
    """`parts` are sent one after the other, then comes the ending."""

    status: int = 200
    parts: Iterable[bytes] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON
    length: int | None = None  # the announced Content-Length; None: chunked
    delay: float = 0.0  # seconds before the first byte
    pause: float = 0.0  # seconds between parts
    ending: Ending = Ending.WHOLE
    headers_first: bool = False  # an ending before any part comes after the headers, not before them
    surplus: bytes = b""  # sent after the announced length, as if that had been told too small


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


async def silence(request: web.Request) -> None:
    """Wait until the client gives up."""
    while request.transport is not None and not request.transport.is_closing():
        await asyncio.sleep(LISTENING_SECONDS)


async def send(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Write an answer; drop the connection where the reply says so."""
    await pause(reply.delay)
    parts = iter(reply.parts)
    first, second = next(parts, None), next(parts, None)
    if first is None and reply.ending != Ending.WHOLE and not reply.headers_first:
        return await _end_mute(request, reply)
    if second is None and reply.ending == Ending.WHOLE and not reply.surplus:
        return _prepared(web.Response(body=first), reply)  # leaves in one packet, headers and all
    response = _prepared(web.StreamResponse(), reply)
    response.content_length = reply.length
    await response.prepare(request)
    await response.write(first or b"")
    for part in parts if second is None else chain((second,), parts):
        await pause(reply.pause)
        await response.write(part)
    if reply.ending == Ending.WHOLE:
        await response.write_eof()
        if reply.surplus and request.transport is not None:
            request.transport.write(reply.surplus)
        return response
    if reply.ending == Ending.SILENCE:
        await silence(request)
    return _hang_up(request, response)


R = TypeVar("R", bound=web.StreamResponse)


def _prepared(response: R, reply: Reply) -> R:
    """With status and headers."""
    response.set_status(reply.status)
    response.headers.update(reply.headers)
    response.headers["Content-Type"] = reply.content_type
    if reply.length is None:
        response.enable_chunked_encoding()
    return response


async def _end_mute(request: web.Request, reply: Reply) -> web.StreamResponse:
    """Not a byte: silence, or a reset of the TCP connection."""
    if reply.ending == Ending.SILENCE:
        await silence(request)
    if request.transport is not None:
        request.transport.abort()
    return web.StreamResponse()


def _hang_up(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """Close after what was written has left: a reset could overtake it, and the client's view would vary."""
    if request.transport is not None:
        request.transport.close()
    return response
