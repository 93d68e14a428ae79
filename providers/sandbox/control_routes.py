"""The control endpoint over HTTP: `POST /control/<action>` acts, `GET /control/<question>` tells."""

from collections.abc import Awaitable

import orjson
from aiohttp import web

from providers.sandbox import control, hooks, insight_truth, referee
from providers.sandbox.control import Action, Body
from providers.sandbox.state import Sandbox

ACTIONS: dict[str, Action] = {
    "accounts": control.add_accounts,
    "account": control.change_account,
    "edit": control.edit,
    "random-edits": control.edit_at_random,
    "remove": control.remove,
    "return": control.bring_back,
    "create": control.create,
    "history": control.step_history,
    "limits": control.set_limits,
    "settings": control.set_settings,
    "tokens": control.mint_token,
    "tokens/each": control.mint_tokens,
    "tokens/revoke": control.revoke_token,
    "tokens/expire": control.expire_token,
    "faults": control.add_fault,
    "faults/clear": control.clear_faults,
    "webhook": hooks.send,
    "reports/forget": control.forget_reports,
    "reset": control.reset,
    "truths": control.tell_truths,
    "referee": referee.report,
    "referee/reset": referee.forget,
}
QUESTIONS: dict[str, Action] = {
    "accounts": control.list_accounts,
    "truth": control.tell_truth,
    "insights": insight_truth.tell,
    "faults": control.list_faults,
    "calls": referee.calls,
    "referee": referee.report,
}


def routes(sandbox: Sandbox) -> list[web.RouteDef]:
    async def act(request: web.Request) -> web.Response:
        return await _run(sandbox, ACTIONS.get(request.match_info["action"]), await request.read() or b"{}")

    async def tell(request: web.Request) -> web.Response:
        return await _run(sandbox, QUESTIONS.get(request.match_info["action"]), dict(request.query))

    return [web.post("/control/{action:.+}", act), web.get("/control/{action:.+}", tell)]


async def _run(sandbox: Sandbox, action: Action | None, body: Body | bytes) -> web.Response:
    if action is None:
        return _json({"error": "no such action"}, 404)
    try:
        answer = action(sandbox, orjson.loads(body) if isinstance(body, bytes) else body)
        return _json(await answer if isinstance(answer, Awaitable) else answer)
    except (KeyError, ValueError, TypeError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS),
        content_type="application/json",
    )
