"""Liveness and readiness, for whoever starts, restarts and sends traffic to this process."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from sync.health import troubles, warnings


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
    told = {"ready": not reasons, "reasons": reasons, "warnings": warnings()}
    return JsonResponse(told, status=503 if reasons else 200)
