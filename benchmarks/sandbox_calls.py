"""How many small answers a second one sandbox gives, and what a thousand small accounts cost it.

Run: `python -m benchmarks.sandbox_calls [--accounts 1000] [--calls 20000]`. Sixteen connections, loopback.
A second of the sandbox's own processor time is what counts: the callers share the machine with it.
"""

import asyncio
import re
import time
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

import requests

from benchmarks.harness.options import options
from providers.sandbox.constants import GOOGLE_CLIENT_ID, GOOGLE_CLIENT_SECRET, META_TOKEN
from providers.sandbox.process import Sandbox, start

CONNECTIONS = 16
LENGTH = re.compile(rb"Content-Length: (\d+)", re.IGNORECASE)
LAST_CHUNK = b"0\r\n\r\n"
META_FIELDS = "id,name,status,effective_status,campaign_id,adset_id,created_time,updated_time"
STATUSES = '["ACTIVE","PAUSED","ARCHIVED","DELETED"]'
QUERY = "SELECT campaign.id, campaign.name, campaign.status FROM campaign"


def main() -> None:
    asked = options(__doc__, accounts=(1_000, 5), calls=(20_000, 40))
    begun = time.perf_counter()
    small = f"{asked.accounts}x5/5/5"
    with start("--meta", small, "--google", small, "--no-recorded") as sandbox:
        print(f"start with {asked.accounts:,} accounts at each platform: {time.perf_counter() - begun:.2f} s")
        sandbox.control("limits", platform="google", project=[])  # a day of Basic access is shorter than this
        meta, google = _requests(sandbox)
        _truths(sandbox, asked.accounts)
        for name, calls in (("Meta, 5 campaigns", meta), ("Google, a stream of 5 campaigns", google)):
            wanted = [calls[n % len(calls)] for n in range(asked.calls)]
            _measure(sandbox, name, wanted)
        print(f"memory: {sandbox.referee()['process']['memory_mb']:.0f} MB")


def _requests(sandbox: Sandbox) -> tuple[list[bytes], list[bytes]]:
    """One request of each ad account, for each platform."""
    accounts = sandbox.ask("accounts")["accounts"]
    token = sandbox.control("tokens", platform="google")["token"]
    form = {"client_id": GOOGLE_CLIENT_ID, "client_secret": GOOGLE_CLIENT_SECRET}
    refresh = form | {"grant_type": "refresh_token", "refresh_token": token}
    answer = requests.post(f"{sandbox.url}/google-oauth/token", data=refresh, timeout=30).json()
    params = urlencode(
        {
            "fields": META_FIELDS.replace("campaign_id,adset_id,", ""),
            "limit": 500,
            "effective_status": STATUSES,
        }
    )
    meta = [
        _request("GET", f"/meta/v26.0/act_{a['id']}/campaigns?{params}", META_TOKEN)
        for a in accounts
        if a["platform"] == "meta"
    ]
    body = b'{"query":"%b"}' % QUERY.encode()
    google = [
        _request(
            "POST", f"/google/v26/customers/{a['id']}/googleAds:searchStream", answer["access_token"],
            body, f"login-customer-id: {a['manager_id']}\r\n",
        )
        for a in accounts
        if a["platform"] == "google" and not a["is_manager"]
    ]  # fmt: skip
    return meta, google


def _request(method: str, path: str, token: str, body: bytes = b"", headers: str = "") -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {token}\r\n{headers}"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def _truths(sandbox: Sandbox, accounts: int) -> None:
    for platform in ("meta", "google"):
        begun = time.perf_counter()
        truths = sandbox.truths(platform)
        taken = time.perf_counter() - begun
        assert len(truths) >= accounts
        print(f"{platform}: all {len(truths):,} truths in one request, with making them: {taken:.2f} s")


def _measure(sandbox: Sandbox, name: str, wanted: Sequence[bytes]) -> None:
    sandbox.control("referee/reset")
    begun = time.perf_counter()
    asyncio.run(_call_all(urlsplit(sandbox.url).port or 0, wanted))
    wall = time.perf_counter() - begun
    cpu = sandbox.referee()["process"]["cpu_seconds"]
    print(f"{name}: {len(wanted) / wall:,.0f} calls/s, {len(wanted) / cpu:,.0f} per second of its processor")


async def _call_all(port: int, wanted: Sequence[bytes]) -> None:
    await asyncio.gather(*(_caller(port, wanted[n::CONNECTIONS]) for n in range(CONNECTIONS)))


async def _caller(port: int, wanted: Sequence[bytes]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in wanted:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = LENGTH.search(head)
        await (reader.readexactly(int(length[1])) if length else reader.readuntil(LAST_CHUNK))
    writer.close()


if __name__ == "__main__":
    main()
