"""Turn errors into the documented bodies, `{"error", "message", …}`; so views contain no `try`."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import structlog
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.defaults import bad_request as html_bad_request
from django.views.defaults import server_error as html_server_error
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from sync.errors import AlreadySyncing, ManualLimitReached, NotConnected, SyncError, TokenRejected

logger = structlog.get_logger(__name__)

STATUS: dict[type[SyncError], int] = {
    NotConnected: 400,
    TokenRejected: 401,
    AlreadySyncing: 409,
    ManualLimitReached: 429,
}
TITLES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    415: "Unsupported media type",
    429: "Rate limit exceeded",
}
RETRY_SECONDS = 5  # a database that restarts is back by then
MAX_DETAILS = 20  # as many as a person reads; a body of 1 MB can hold 300,000 mistakes


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to any error that a view let through; None for a defect of ours, which is a 500."""
    match exc:
        case SyncError():
            return _domain(exc)
        case ValidationError():
            return _invalid(list(islice(_details(exc.detail), MAX_DETAILS)))
        case ParseError():
            return _invalid([{"field": "body", "message": str(exc.detail)}])
        case RequestDataTooBig():
            return _answer(413, "Body too large", str(exc))
        case OperationalError() | InterfaceError():
            logger.warning("database away", error=type(exc).__name__)
            message = "The database does not answer. Try again in a few seconds."
            return _answer(503, "Service unavailable", message, headers={"Retry-After": str(RETRY_SECONDS)})
        case _:
            return _framework(exc, context)


def _domain(exc: SyncError) -> Response:
    headers = {"Retry-After": str(exc.wait_seconds)} if isinstance(exc, ManualLimitReached) else {}
    body = {"error": exc.title, "message": str(exc), "code": exc.code, **exc.details}
    return Response(body, status=STATUS[type(exc)], headers=headers)


def _invalid(details: list[dict[str, str]]) -> Response:
    first = details[0]
    message = f"Correct the field {first['field']}: {first['message']}"
    return _answer(400, "Validation error", message, details=details)


def _framework(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's and Django's own errors, in our shape; status and headers stay theirs."""
    response = exception_handler(exc, context)
    if response is None:
        return None
    detail = exc.detail if isinstance(exc, APIException) else response.data.get("detail", "")
    response.data = {"error": TITLES.get(response.status_code, "Error"), "message": str(detail)}
    return response


def _answer(
    status: int, error: str, message: str, *, headers: dict[str, str] | None = None, **more: Any
) -> Response:
    return Response({"error": error, "message": message, **more}, status=status, headers=headers)


def _details(errors: Any, path: str = "") -> Iterator[dict[str, str]]:
    """DRF's nested errors as a flat list; the place in a list is part of the field's name."""
    if isinstance(errors, dict):
        for name, inner in errors.items():
            own = "body" if name == "non_field_errors" else str(name)
            yield from _details(inner, f"{path}.{own}" if path else own)
    else:
        for message in [errors] if isinstance(errors, str) else errors:
            yield {"field": path or "body", "message": str(message)}


@csrf_exempt
def unknown_path(request: HttpRequest, **_: object) -> HttpResponse:
    """Any path below /api/ that is none of ours."""
    return JsonResponse({"error": "Not found", "message": f"There is no {request.path} here."}, status=404)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django refuses before any view sees it: JSON for the API, a page for people."""
    if not request.path.startswith("/api/"):
        return html_bad_request(request, exception)
    if isinstance(exception, DisallowedHost):
        message = "This host name is not one of AdTiger's. An operator can add it to ALLOWED_HOSTS."
    else:
        message = "The request can't be understood."
    return JsonResponse({"error": "Bad request", "message": message}, status=400)


def server_error(request: HttpRequest) -> HttpResponse:
    """A defect of ours: JSON for the API, a page for people. The log has the traceback."""
    if request.path.startswith("/api/"):
        message = "AdTiger failed itself. Its log tells where; trying again may help."
        return JsonResponse({"error": "Internal error", "message": message}, status=500)
    return html_server_error(request)
