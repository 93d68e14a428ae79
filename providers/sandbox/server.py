"""The web application: both platforms, both OAuth servers and the control endpoint, on one port."""

import asyncio
import signal
import sys
from pathlib import Path

import orjson
from aiohttp import web

from providers.sandbox import control_routes, google_routes, meta_routes, oauth_routes
from providers.sandbox.state import Sandbox

BACKLOG = 1_024  # connections that are opened at once, by a thousand clients at most
SHUTDOWN_SECONDS = 0.5  # for answers that are being written; a silent one would never end
MAX_BODY = 8 * 1024 * 1024  # a batch of 50 long filters is far below


def application(sandbox: Sandbox) -> web.Application:
    """All routes of one sandbox."""
    app = web.Application(client_max_size=MAX_BODY)
    for module in (control_routes, google_routes, meta_routes, oauth_routes):
        app.add_routes(module.routes(sandbox))
    return app


def urls(base: str) -> dict[str, str]:
    """The base URLs that the clients are configured with."""
    return {
        "url": base,
        "META_GRAPH_URL": f"{base}/meta",
        "META_OAUTH_URL": f"{base}/meta-oauth",
        "GOOGLE_ADS_URL": f"{base}/google",
        "GOOGLE_OAUTH_URL": f"{base}/google-oauth",
    }


async def serve(sandbox: Sandbox, *, host: str, port: int, state_file: Path | None, leash: bool) -> None:
    """Listen until SIGTERM or SIGINT, or with `leash` until standard input ends."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if leash:
        await loop.connect_read_pipe(lambda: _Leash(stop), sys.stdin)
    # A call of somebody who hangs up goes on: it is under way, and counts at the platform when it arrives.
    runner = web.AppRunner(application(sandbox), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    await web.TCPSite(runner, host, port, backlog=BACKLOG).start()
    _announce(urls(f"http://{host}:{runner.addresses[0][1]}"), state_file)
    await stop.wait()
    await runner.cleanup()


class _Leash(asyncio.Protocol):
    """The starter holds the other end of the pipe: when it dies, however it dies, the pipe ends."""

    def __init__(self, stop: asyncio.Event) -> None:
        self._stop = stop

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop.set()


def _announce(base_urls: dict[str, str], state_file: Path | None) -> None:
    """Tell the starter. A reader of the file sees the whole of it or none."""
    text = orjson.dumps(base_urls).decode()
    if state_file is None:
        print(text, flush=True)  # noqa: T201 - for the starter to read
        return
    beside = state_file.with_suffix(".tmp")
    beside.write_text(text, encoding="utf-8")
    beside.replace(state_file)
