"""Meta's webhooks: what it posts to an application, signed; on demand, or when a report run ends.

They come once, several times, in any order, or from somebody who does not know the secret: the receiver has
to stand all of it.
"""

import asyncio
import hashlib
import hmac
import json
from typing import Any

import aiohttp

from providers.sandbox.constants import META_APP_ID, META_APP_SECRET
from providers.sandbox.meta_reports import Report
from providers.sandbox.state import Sandbox

SECONDS = 10.0  # that the receiver may take
SIGNATURE = "X-Hub-Signature-256"

Body = dict[str, Any]


async def send(sandbox: Sandbox, body: Body) -> Body:
    """Post `changes` to `url`, each by itself, in their order; answers the statuses.

    A change is `{"report": id, "verb": "complete"}`, or `{"account": id, "field": …, "value": {…}}`. `times`
    sends each so often, `together` all in one; `signature` is `good`, `bad` or `missing`.
    """
    entries = [_entry(sandbox, change) for change in body["changes"] for _ in range(body.get("times", 1))]
    if body.get("together"):
        entries = [(entries[0][0], [one for _, found in entries for one in found])]
    statuses = [
        await _post(body["url"], {"object": topic, "entry": found}, body.get("signature", "good"))
        for topic, found in entries
    ]
    return {"statuses": statuses}


def announce(sandbox: Sandbox, report: Report) -> None:
    """Tell of the run when it ends, where the settings say whom; one that hangs is never told of."""
    url, seconds = sandbox.settings.meta_webhook_url, report.ends_after
    if not url or seconds is None:
        return
    verb = "complete" if report.succeeds else "fail"
    task = asyncio.get_running_loop().create_task(
        _later(sandbox, seconds, {"url": url, "changes": [{"report": str(report.id), "verb": verb}]})
    )
    sandbox.tasks.add(task)
    task.add_done_callback(sandbox.tasks.discard)


async def _later(sandbox: Sandbox, seconds: float, body: Body) -> None:
    await asyncio.sleep(seconds)
    await send(sandbox, body)


def _entry(sandbox: Sandbox, change: Body) -> tuple[str, list[Body]]:
    """The topic, and the entry as it is posted."""
    if "report" in change:
        topic, node, field = "application", META_APP_ID, "async_requests"
        verb = change.get("verb", "complete")
        value: Any = {"category": "ads_insights", "verb": verb, "report_id": str(change["report"])}
    else:
        topic, node = "ad_account", str(change["account"]).removeprefix("act_")
        field, value = change.get("field", "in_process_ad_objects"), change.get("value", {})
    made = {"id": node, "time": int(sandbox.clock()), "changes": [{"field": field, "value": value}]}
    return topic, [made]


async def _post(url: str, payload: Body, signature: str) -> int:
    """The receiver's status; 0 where it could not be reached."""
    raw = json.dumps(payload).encode()  # with other scripts escaped, and signed so
    headers = {"Content-Type": "application/json"}
    if signature != "missing":
        secret = META_APP_SECRET if signature == "good" else "not-the-secret"
        headers[SIGNATURE] = "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    timeout = aiohttp.ClientTimeout(total=SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.post(url, data=raw, headers=headers) as response,
        ):
            return response.status
    except (aiohttp.ClientError, TimeoutError):
        return 0
