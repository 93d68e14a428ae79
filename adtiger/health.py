"""Liveness and readiness, for whoever starts, restarts and sends traffic to this process."""

from collections.abc import Callable
from dataclasses import asdict

import structlog
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from sync.health import services, troubles, warnings

logger = structlog.get_logger(__name__)
_ready_before: list[bool] = []  # what this process answered last


@csrf_exempt  # a wrong method is told so, rather than that it lacks a token
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers. Nothing else is asked: a restart would not mend a server that is away."""
    return JsonResponse({"status": "ok"})


@csrf_exempt  # a wrong method is told so, rather than that it lacks a token
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Everything that syncing needs does its work; else 503 with the reasons. Warnings change nothing."""
    reasons = troubles()
    _log_once(reasons)
    told = {
        "ready": not reasons,
        "reasons": reasons,
        "warnings": warnings(),
        "queues": [asdict(service) for service in services()],
    }
    return JsonResponse(told, status=503 if reasons else 200)


def _log_once(reasons: list[str]) -> None:
    """When it turns, not with every probe: those come every few seconds."""
    if _ready_before == [not reasons]:
        return
    _ready_before[:] = [not reasons]
    if reasons:
        logger.warning("not ready", reasons=reasons)
    else:
        logger.info("ready")


PROBES: dict[str, Callable[[HttpRequest], HttpResponseBase]] = {"/healthz": healthz, "/readyz": readyz}


def answer_probes(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware before whatever looks at the Host: a load balancer probes by an address of its own.

    Safe, for the answers hold nothing of the request. Everything else still needs a host of ALLOWED_HOSTS.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        return PROBES.get(request.path_info, get_response)(request)

    return middleware
