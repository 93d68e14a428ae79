"""Meta's Graph API over HTTP: versions, one call, and the batch of up to 50.

The order is Meta's: a call counts at its arrival, then the token is looked at, then the limits.
"""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from providers.sandbox.constants import VERSION, Kind, Platform
from providers.sandbox.damage import damage
from providers.sandbox.fault_kinds import FaultKind
from providers.sandbox.faults import Fault, Moment
from providers.sandbox.grants import Grant
from providers.sandbox.ledger import Subject
from providers.sandbox.meta_call import INSIGHTS, Call, Target, check_access, find_grant, find_target
from providers.sandbox.meta_errors import MetaError, bad_parameter
from providers.sandbox.meta_faults import Struck, raise_faults, refused
from providers.sandbox.meta_insight_edge import insights
from providers.sandbox.meta_nodes import ad_accounts, listing, me, node
from providers.sandbox.meta_query import parse_json, parse_limit
from providers.sandbox.meta_tokens import debug, exchange
from providers.sandbox.meta_usage import APP, usage_headers
from providers.sandbox.state import Sandbox
from providers.sandbox.wire import Ending, Reply, bearer, json_reply, pause, send

OLDEST = 22  # of the versions that still answer; below it there is no automatic upgrade
WITHOUT_WARNING = 24  # versions from here on are not near their end
MAX_BATCH = 50
PREFIX = "/meta"
_VERSION = re.compile(r"v(\d+)\.\d(?:/(.*))?")
# Calls about tokens need no user's token and count in no window.
_TOKEN_CALLS = {"debug_token": debug, "oauth/access_token": exchange}


def routes(sandbox: Sandbox) -> list[web.RouteDef]:
    async def handle(request: web.Request) -> web.StreamResponse:
        call = await _read(request)
        way = sandbox.latency.draw(Platform.META, call.node)
        await pause(way.there)
        reply = _batch(sandbox, call) if _is_batch(call) else answer(sandbox, call)
        reply.delay += way.back
        return await send(request, reply)

    return [web.route("*", PREFIX + "{path:(/.*)?}", handle)]


def _is_batch(call: Call) -> bool:
    """`POST /` or `POST /v26.0/`, with the calls in `batch`."""
    return call.method == "POST" and "batch" in call.params and call.path.count("/") == 0


async def _read(request: web.Request) -> Call:
    """Parameters come in the query and, in a POST, in the form as well."""
    params = dict(request.query)
    if request.method == "POST":
        form = await request.post()
        params |= {name: value for name, value in form.items() if isinstance(value, str)}
    # Graph takes the method from a parameter, too: the way to send a filter that is too long for a URL.
    method = params.pop("method", request.method).upper()
    base = f"{request.scheme}://{request.host}{PREFIX}"
    token = params.get("access_token") or bearer(request)
    return Call(method, request.match_info["path"].strip("/"), params, base, token)


def answer(sandbox: Sandbox, call: Call) -> Reply:
    """One call, outside or inside a batch, with its usage headers and its faults."""
    account_id, faults = "", []  # type: str, list[Fault]
    try:
        _check_version(call)
        if call.path in _TOKEN_CALLS:
            return _about_tokens(sandbox, call)
        target = _target(sandbox, call)
        account_id = target.account.id if target.account else ""
        grant, faults = _admit(sandbox, call, target)
        raise_faults(faults, Struck(sandbox.grants, grant, account_id, call.headers))
        reply = json_reply(_body(sandbox, call, target, grant, faults))
    except MetaError as error:
        reply = json_reply(error.body(), error.status)
    reply.headers = usage_headers(sandbox.ledger, account_id, tier=sandbox.settings.meta_tier) | call.headers
    return damage(reply, faults)


def _about_tokens(sandbox: Sandbox, call: Call) -> Reply:
    """Only a fault that names the endpoint strikes it."""
    sandbox.token_calls[Platform.META][call.path] += 1
    faults = sandbox.faults.draw(Moment(Platform.META, "", call.path, only_by_name=True))
    grant = sandbox.grants.find(Platform.META, call.params.get("fb_exchange_token", call.token))
    try:
        raise_faults(faults, Struck(sandbox.grants, grant, "", call.headers))
        reply = json_reply(_TOKEN_CALLS[call.path](sandbox, call))
    except MetaError as error:
        reply = json_reply(error.body(), error.status)
    return damage(reply, faults)


def _check_version(call: Call) -> None:
    """Take the version off the path. One near its end is upgraded silently, with a header."""
    match = _VERSION.fullmatch(call.path)
    if match is None:
        return  # no version: the app's default one
    number, call.path = int(match[1]), (match[2] or "").strip("/")
    call.version = f"v{number}.0"
    if number > VERSION:
        raise MetaError(2500, f"Unknown path components: /{call.version}/{call.path}")
    if number < OLDEST:
        raise MetaError(2635)
    if number < WITHOUT_WARNING:
        warning = f"You are using an API version that will be deprecated. Upgraded to v{VERSION}.0."
        call.headers["X-Ad-Api-Version-Warning"] = warning


def _target(sandbox: Sandbox, call: Call) -> Target:
    """A path that names nothing is a call, too."""
    try:
        return find_target(sandbox, call.path)
    except MetaError:
        sandbox.ledger.arrive([APP], "unknown")
        raise


def _admit(sandbox: Sandbox, call: Call, target: Target) -> tuple[Grant, list[Fault]]:
    """Count the call; refuse a bad token, a foreign ad account, a full window."""
    account_id = target.account.id if target.account else ""
    subjects = [APP] + ([Subject(Platform.META, account_id)] if account_id else [])
    refusal = sandbox.ledger.arrive(subjects, target.endpoint)
    grant = _grant(sandbox, call, subjects)
    if target.account is not None:
        check_access(grant, target.account)
    if refusal is not None:
        raise refused(refusal)
    rows = parse_limit(call.params) if target.kind or target.endpoint == INSIGHTS else 0
    moment = Moment(Platform.META, account_id, target.endpoint, bool(call.params.get("after")), rows)
    faults = sandbox.faults.draw(moment)
    if any(fault.kind == FaultKind.RATE_LIMIT for fault in faults):
        sandbox.ledger.take_back(subjects)
    return grant, faults


def _grant(sandbox: Sandbox, call: Call, subjects: list[Subject]) -> Grant:
    try:
        return find_grant(sandbox, call)
    except MetaError:
        sandbox.ledger.without_token(subjects)
        raise


def _body(sandbox: Sandbox, call: Call, target: Target, grant: Grant, faults: list[Fault]) -> dict[str, Any]:
    if target.endpoint == INSIGHTS and call.method == "GET":
        return insights(sandbox, call, target, faults)
    if call.method != "GET":
        raise MetaError(3, "(#3) Application does not have the capability to make this API call.")
    if target.endpoint == "me":
        return me(grant, call)
    if target.endpoint == "me/adaccounts":
        return ad_accounts(sandbox, grant, call)
    if isinstance(target.kind, Kind):
        return listing(sandbox, call, target, target.kind, faults)
    return node(call, target)


def _batch(sandbox: Sandbox, call: Call) -> Reply:
    """Answer every sub-call on its own; each counts. One that is cut or stays silent comes back as null."""
    try:
        _check_version(call)
        parts = parse_json("batch", call.params["batch"])
        if not isinstance(parts, list) or len(parts) > MAX_BATCH:
            raise bad_parameter(f"Too many requests in batch message. Maximum batch size is {MAX_BATCH}")
    except MetaError as error:
        return json_reply(error.body(), error.status)
    replies = [_sub_reply(sandbox, call, part) for part in parts]
    whole = json_reply([_sub_answer(reply) for reply in replies])
    whole.delay = max((reply.delay for reply in replies), default=0.0)
    return whole


def _sub_reply(sandbox: Sandbox, call: Call, part: dict[str, Any]) -> Reply:
    url = urlsplit(str(part.get("relative_url", "")))
    proof = {name: call.params[name] for name in ("appsecret_proof",) if name in call.params}
    params = proof | dict(parse_qsl(url.query, keep_blank_values=True))
    token = params.get("access_token", call.token)
    path = url.path.strip("/")
    sub = Call(str(part.get("method", "GET")).upper(), path, params, call.base, token, call.version)
    return answer(sandbox, sub)


def _sub_answer(reply: Reply) -> dict[str, Any] | None:
    if reply.ending != Ending.WHOLE:
        return None
    headers = [{"name": name, "value": value} for name, value in reply.headers.items()]
    return {"code": reply.status, "headers": headers, "body": b"".join(reply.parts).decode()}
