"""Meta's Graph API over HTTP: one call, and the batch of up to 50."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from providers.sandbox.constants import Platform
from providers.sandbox.damage import damage
from providers.sandbox.faults import Moment
from providers.sandbox.meta_answer import answer, check_version
from providers.sandbox.meta_call import Call
from providers.sandbox.meta_errors import MetaError, bad_parameter
from providers.sandbox.meta_faults import Struck, raise_faults
from providers.sandbox.meta_query import parse_json
from providers.sandbox.state import Sandbox
from providers.sandbox.wire import Ending, Reply, bearer, json_reply, pause, send

MAX_BATCH = 50
PREFIX = "/meta"


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


def _batch(sandbox: Sandbox, call: Call) -> Reply:
    """Answer every sub-call on its own; each counts. One that is cut or stays silent comes back as null."""
    faults = sandbox.faults.draw(Moment(Platform.META, "", "batch", only_by_name=True))
    try:
        check_version(call)
        raise_faults(faults, Struck(sandbox.grants, None, "", call.headers))
        parts = parse_json("batch", call.params["batch"])
        if not isinstance(parts, list) or len(parts) > MAX_BATCH:
            raise bad_parameter(f"Too many requests in batch message. Maximum batch size is {MAX_BATCH}")
    except MetaError as error:
        return damage(json_reply(error.body(), error.status), faults)
    replies = [_sub_reply(sandbox, call, part) for part in parts]
    whole = json_reply([_sub_answer(reply) for reply in replies])
    whole.delay = max((reply.delay for reply in replies), default=0.0)
    return damage(whole, faults)


def _sub_reply(sandbox: Sandbox, call: Call, part: dict[str, Any]) -> Reply:
    url = urlsplit(str(part.get("relative_url", "")))
    proof = {name: call.params[name] for name in ("appsecret_proof",) if name in call.params}
    params = proof | dict(parse_qsl(url.query, keep_blank_values=True))
    params |= dict(parse_qsl(str(part.get("body") or ""), keep_blank_values=True))
    token = params.get("access_token", call.token)
    path = url.path.strip("/")
    sub = Call(str(part.get("method", "GET")).upper(), path, params, call.base, token, call.version)
    return answer(sandbox, sub)


def _sub_answer(reply: Reply) -> dict[str, Any] | None:
    if reply.ending != Ending.WHOLE:
        return None
    headers = [{"name": name, "value": value} for name, value in reply.headers.items()]
    told = {"headers": headers} if headers else {}
    return {"code": reply.status, **told, "body": b"".join(reply.parts).decode()}
