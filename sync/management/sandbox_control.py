"""The running sandbox that the settings point at, as an operator acts on it."""

from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.management.base import CommandError

TIMEOUT = 30  # seconds; large accounts are made at their first use
SANDBOX_PATH = "/meta"  # where the sandbox serves Meta; Meta itself serves at the root
START = "Start one (`make up`, or `sandbox --port 8090`) and set META_GRAPH_URL to its address."


def ask(question: str) -> dict[str, Any]:
    """GET /control/<question>."""
    return _call("GET", question)


def act(action: str, **body: Any) -> dict[str, Any]:
    """POST /control/<action>."""
    return _call("POST", action, json=body)


def status() -> dict[str, Any]:
    """Where it is, what it holds, which faults it has, and who called it too often."""
    return {
        "url": _base(),
        **ask("accounts"),
        **ask("faults"),
        "exceeded": ask("calls")["exceeded"],
    }


def _base() -> str:
    parts = urlsplit(settings.META_GRAPH_URL)
    if parts.path.rstrip("/") != SANDBOX_PATH:  # nothing is sent to the platform itself
        raise CommandError(f"META_GRAPH_URL points at {parts.netloc}, which is no sandbox. {START}")
    return f"{parts.scheme}://{parts.netloc}"


def _call(method: str, action: str, **request: Any) -> dict[str, Any]:
    base = _base()
    try:
        answer = requests.request(method, f"{base}/control/{action}", timeout=TIMEOUT, **request)
        body: dict[str, Any] = answer.json()
    except requests.RequestException:
        raise CommandError(f"No sandbox answers at {base}. {START}") from None
    if not answer.ok:
        raise CommandError(f"The sandbox refused: {body.get('error')}")
    return body
