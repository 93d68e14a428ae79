"""Google Ads' REST interface over HTTP: accessible customers, search by pages, search as a stream."""

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from providers.sandbox.constants import VERSION, Platform
from providers.sandbox.damage import damage
from providers.sandbox.fault_kinds import FaultKind
from providers.sandbox.faults import Fault, Moment
from providers.sandbox.google_access import direct_accounts, find_customer, find_grant
from providers.sandbox.google_errors import GoogleError, request_error
from providers.sandbox.google_faults import Struck, raise_faults, refused
from providers.sandbox.google_search import search, search_stream
from providers.sandbox.ledger import Subject
from providers.sandbox.state import Sandbox
from providers.sandbox.wire import Reply, json_reply, pause, send

OLDEST = 23  # of the versions that still answer
PREFIX = "/google/v{version:\\d+}"
CUSTOMER = PREFIX + "/customers/{customer:[^/:]+}/googleAds"
PROJECT = Subject(Platform.GOOGLE, "")
_FROM = re.compile(r"\bFROM\s+(\w+)", re.IGNORECASE)


@dataclass
class Call:
    """One request on its way through."""

    request: web.Request
    endpoint: str
    body: dict[str, Any] = field(default_factory=dict)
    request_id: str = field(default_factory=lambda: secrets.token_urlsafe(16))
    faults: list[Fault] = field(default_factory=list)

    @property
    def customer_id(self) -> str:
        return self.request.match_info.get("customer", "")

    @property
    def page_token(self) -> str:
        return str(self.body.get("pageToken", ""))


def routes(sandbox: Sandbox) -> list[web.RouteDef]:
    async def list_accessible(request: web.Request) -> web.StreamResponse:
        return await _respond(sandbox, Call(request, "list_accessible"))

    async def by_pages(request: web.Request) -> web.StreamResponse:
        return await _respond(sandbox, await _read(request, "search"))

    async def as_stream(request: web.Request) -> web.StreamResponse:
        return await _respond(sandbox, await _read(request, "search_stream"))

    return [
        web.get(PREFIX + "/customers:listAccessibleCustomers", list_accessible),
        web.post(CUSTOMER + ":search", by_pages),
        web.post(CUSTOMER + ":searchStream", as_stream),
    ]


async def _read(request: web.Request, method: str) -> Call:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        body = {}
    resource = _FROM.search(str(body.get("query", "")))
    return Call(request, f"{method}:{resource[1]}" if resource else method, body)


async def _respond(sandbox: Sandbox, call: Call) -> web.StreamResponse:
    way = sandbox.latency.draw(Platform.GOOGLE, call.customer_id)
    await pause(way.there)
    try:
        reply = _answer(sandbox, call)
    except GoogleError as error:
        body = error.body(call.request_id)
        # A stream's answers are arrays, its errors as well.
        stream = call.endpoint.startswith("search_stream") and error.family
        reply = json_reply([body] if stream else body, error.status)
    reply.headers = {"request-id": call.request_id}
    reply.delay += way.back
    return await send(call.request, damage(reply, call.faults))


def _answer(sandbox: Sandbox, call: Call) -> Reply:
    """The order is the platform's: version, token, customer, limits; a call counts at its arrival."""
    customer_id = call.customer_id
    subjects = [PROJECT] + ([Subject(Platform.GOOGLE, customer_id)] if customer_id else [])
    refusal = sandbox.ledger.arrive(subjects, call.endpoint, charged=not call.page_token)
    _check_version(int(call.request.match_info["version"]))
    try:
        grant = find_grant(sandbox, call.request)
    except GoogleError:
        sandbox.ledger.without_token(subjects)
        raise
    account = find_customer(sandbox, call.request, grant) if customer_id else None
    if refusal is not None:
        raise refused(refusal)
    moment = Moment(Platform.GOOGLE, customer_id, call.endpoint, bool(call.page_token))
    call.faults = sandbox.faults.draw(moment)
    if not call.page_token and any(fault.kind == FaultKind.RATE_LIMIT for fault in call.faults):
        sandbox.ledger.take_back(subjects)
    raise_faults(call.faults, Struck(sandbox.grants, grant))
    if account is None:
        return json_reply({"resourceNames": [f"customers/{a.id}" for a in direct_accounts(sandbox, grant)]})
    if call.endpoint.startswith("search_stream"):
        return search_stream(sandbox, account, call.body, call.faults, call.request_id)
    return search(sandbox, account, call.body, call.faults)


def _check_version(version: int) -> None:
    if not OLDEST <= version <= VERSION:
        raise request_error("UNSUPPORTED_VERSION", f"Version v{version} is not supported.")
