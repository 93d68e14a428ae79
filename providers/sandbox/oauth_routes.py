"""Both OAuth servers over HTTP: Google's token endpoint, and a consent page each.

The page asks in one click and sends the browser back with a code or with `error=access_denied`.
"""

from html import escape
from urllib.parse import urlencode

from aiohttp import web

from providers.sandbox.constants import GOOGLE_CLIENT_ID, META_APP_ID, Platform
from providers.sandbox.google_tokens import answer
from providers.sandbox.state import Sandbox
from providers.sandbox.wire import send

_CLIENTS = {Platform.META: META_APP_ID, Platform.GOOGLE: GOOGLE_CLIENT_ID}
_PAGE = """<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Sandbox consent</title></head>
<body style="font-family: sans-serif; max-width: 32rem; margin: 4rem auto">
<h1>Sandbox: {platform}</h1>
<p>AdTiger asks to read the ad accounts of this imitated {platform} user. Nothing here is real.</p>
<p><a id="allow" href="{allow}">Allow</a> &middot; <a id="deny" href="{deny}">Deny</a></p>
</body></html>"""


def routes(sandbox: Sandbox) -> list[web.RouteDef]:
    async def google_token(request: web.Request) -> web.StreamResponse:
        form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
        return await send(request, answer(sandbox, form))

    async def google_consent(request: web.Request) -> web.Response:
        return _consent(sandbox, Platform.GOOGLE, request)

    async def meta_consent(request: web.Request) -> web.Response:
        return _consent(sandbox, Platform.META, request)

    return [
        web.post("/google-oauth/token", google_token),
        web.get("/google-oauth/o/oauth2/v2/auth", google_consent),
        web.get("/meta-oauth/{version:v\\d+\\.\\d+}/dialog/oauth", meta_consent),
    ]


def _consent(sandbox: Sandbox, platform: Platform, request: web.Request) -> web.Response:
    redirect_uri = request.query.get("redirect_uri", "")
    if request.query.get("client_id") != _CLIENTS[platform] or not redirect_uri.startswith("http"):
        return web.Response(status=400, text="Error 400: invalid_request (client_id or redirect_uri)")
    state = request.query.get("state", "")
    allow = _back(redirect_uri, code=sandbox.grants.issue_code(platform), state=state)
    deny = _back(redirect_uri, error="access_denied", state=state)
    page = _PAGE.format(platform=platform.title(), allow=escape(allow), deny=escape(deny))
    return web.Response(text=page, content_type="text/html")


def _back(redirect_uri: str, **params: str) -> str:
    return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(params)}"
