"""`/api/webhooks/meta`: what Meta tells us by itself, of reports that are ready and ad accounts that changed.

Believed is what Meta signed, over the bytes as they came; everything else is refused before it is read.
While no verify token is set the route is not there.
"""

from collections.abc import Iterator
from datetime import datetime
from hmac import compare_digest, new
from typing import Any

import orjson
import structlog
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError, PermissionDenied
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sync.schedule.hooks import Told, at, heed

logger = structlog.get_logger(__name__)

SIGNATURE = "X-Hub-Signature-256"


class MetaWebhookView(APIView):
    """Meta's side of the talk."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Meta asks once whether the address is ours: its challenge comes back, as it came."""
        token = _verify_token()
        asked = request.query_params
        matches = compare_digest(asked.get("hub.verify_token", "").encode(), token.encode())
        if asked.get("hub.mode") != "subscribe" or not matches:
            raise PermissionDenied("This is not the verify token of the webhook.")
        return HttpResponse(asked.get("hub.challenge", ""), content_type="text/plain")

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        """200 as soon as what is due is written down; the workers do the rest."""
        _verify_token()
        body = _signed_body(request._request)
        told = _told(body)
        heed(told)
        logger.info("webhook heeded", reports=len(told.reports), ad_accounts=len(told.changed))
        return Response({"success": True})


def _verify_token() -> str:
    token = str(settings.META_WEBHOOK_VERIFY_TOKEN)
    if not token:
        raise Http404("There is no webhook here.")
    return token


def _signed_body(request: HttpRequest) -> bytes:
    """The raw body, if it is Meta's; Django reads no larger one than DATA_UPLOAD_MAX_MEMORY_SIZE."""
    secret = str(settings.META_APP_SECRET).encode()
    signature = "sha256=" + new(secret, request.body, "sha256").hexdigest()
    given = request.headers.get(SIGNATURE, "")
    if not secret or not compare_digest(signature.encode(), given.encode()):
        raise PermissionDenied("The signature is not the one that Meta's app secret makes of the body.")
    return request.body


def _told(body: bytes) -> Told:
    """What is in it; what this version does not know is passed over."""
    try:
        payload = orjson.loads(body)
        topic, entries = payload["object"], list(payload["entry"])
        reports = frozenset(_reports(entries))
        changed = _changed(entries) if topic == "ad_account" else {}
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError) as exc:
        raise ParseError("The body is none of Meta's.") from exc
    return Told(reports, changed)


def _reports(entries: list[Any]) -> Iterator[str]:
    """The reports that ended."""
    for entry in entries:
        for change in entry.get("changes", []):
            if change.get("field") == "async_requests":
                yield str(int(change["value"]["report_id"]))


def _changed(entries: list[Any]) -> dict[str, datetime]:
    """The ad accounts that changed, and when they did last."""
    changed: dict[str, datetime] = {}
    for entry in entries:
        name, moment = f"act_{int(entry['id'])}", at(float(entry["time"]))
        changed[name] = max(moment, changed.get(name, moment))
    return changed
