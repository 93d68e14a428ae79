"""`/api/cron/sync-hourly`: for those who keep an external cron, and for outside monitoring.

Beat does the same by itself; running both does no work twice.
"""

from collections import Counter
from datetime import timedelta
from hmac import compare_digest
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from sync.api.schema import refusals
from sync.api.serializers import Answer, NumbersSerializer, QueuesSerializer
from sync.api.stats import RunCounter, numbers, queue_numbers
from sync.api.words import percent
from sync.health import database_answers, troubles, warnings
from sync.models import Connection, SyncRun
from sync.models.choices import RunState
from sync.schedule.hourly import request_hour
from sync.schedule.tick import tick

DAY = timedelta(hours=24)


class CronSecret(BaseAuthentication):
    """`Authorization: Bearer <CRON_SECRET>`; while the setting is empty nobody is let in."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, None]:
        scheme, _, secret = get_authorization_header(request).partition(b" ")
        expected = str(settings.CRON_SECRET).encode()
        matches = compare_digest(secret.strip(), expected)  # as long for a near miss as for a wild guess
        if not expected or scheme.lower() != b"bearer" or not matches:
            raise AuthenticationFailed("Send the cron secret as a Bearer token.")
        return AnonymousUser(), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class ResultsSerializer(Answer):
    """What became of the ad accounts that are due in this hour."""

    total = serializers.IntegerField()
    queued = serializers.IntegerField()
    skipped = serializers.IntegerField()
    errors = serializers.ListField(child=serializers.CharField())  # type: ignore[assignment]  # the contract's word, which DRF has, too


class CronSerializer(Answer):
    """What one call did."""

    success = serializers.BooleanField()
    timestamp = serializers.DateTimeField()
    results = ResultsSerializer()
    queueStats = QueuesSerializer()


class ConnectionsSerializer(Answer):
    """How many ad accounts."""

    total = serializers.IntegerField()
    active = serializers.IntegerField()


class SyncsSerializer(Answer):
    """The syncs that ended in the last 24 hours."""

    total = serializers.IntegerField()
    failed = serializers.IntegerField()
    successRate = serializers.CharField()


class HealthStatsSerializer(Answer):
    """The whole installation in figures."""

    connections = ConnectionsSerializer()
    syncs24h = SyncsSerializer()
    queue = NumbersSerializer()


class HealthSerializer(Answer):
    """Whether everything does its work."""

    healthy = serializers.BooleanField()
    timestamp = serializers.DateTimeField()
    reasons = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField(), help_text="They change no status.")
    stats = HealthStatsSerializer(allow_null=True, help_text="Null while the database does not answer.")


class HourlyView(APIView):
    """The schedule, driven from outside, and the health check."""

    authentication_classes = [CronSecret]
    permission_classes = [AllowAny]

    @extend_schema(operation_id="cron_sync_hourly", responses={200: CronSerializer, **refusals(401, 503)})
    def get(self, request: Request) -> Response:
        """Ask for this hour's syncs that nobody asked for yet, and do what the tick does."""
        now = timezone.now()
        done = request_hour(now)
        tick()
        told = {
            "success": True,
            "timestamp": now,
            "results": {
                "total": done.total,
                "queued": done.queued,
                "skipped": done.skipped,
                "errors": [],  # what stops one ad account's request stops the call, with its own answer
            },
            "queueStats": queue_numbers(_ended(), _open()),
        }
        return Response(CronSerializer(told).data)

    @extend_schema(
        operation_id="cron_health",
        request=None,
        responses={
            200: HealthSerializer,
            **refusals(401),
            503: OpenApiResponse(HealthSerializer, description="`reasons` says why."),
        },
    )
    def post(self, request: Request) -> Response:
        """Healthy, or 503 with the reasons."""
        reasons = troubles()
        told = {
            "healthy": not reasons,
            "timestamp": timezone.now(),
            "reasons": reasons,
            "warnings": warnings(),
            "stats": _health_stats() if database_answers() else None,
        }
        return Response(HealthSerializer(told).data, status=503 if reasons else 200)


def _health_stats() -> dict[str, Any]:
    ended = _ended()
    failed = sum(number for (_, state), number in ended.items() if state == RunState.FAILED)
    return {
        "connections": {
            "total": Connection.objects.count(),
            "active": Connection.objects.active().count(),
        },
        "syncs24h": {
            "total": ended.total(),
            "failed": failed,
            "successRate": percent(ended.total() - failed, ended.total()),
        },
        "queue": numbers(ended, _open()),
    }


def _ended() -> RunCounter:
    return _count(SyncRun.objects.filter(finished_at__gt=timezone.now() - DAY))


def _open() -> RunCounter:
    return _count(SyncRun.objects.open())


def _count(runs: "QuerySet[SyncRun]") -> RunCounter:
    rows = runs.order_by().values_list("kind", "state").annotate(number=Count("pk"))
    return Counter({(kind, state): number for kind, state, number in rows})
