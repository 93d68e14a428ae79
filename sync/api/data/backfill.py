"""`/api/insights/backfill`: read daily metrics of the past."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from providers.records import Level
from sync.api.access import AccountView
from sync.api.data.period import period
from sync.api.fields import IdField
from sync.api.requested import AcceptedSerializer, accepted, own_connection
from sync.api.schema import refusals
from sync.ledger.request import request_sync
from sync.ledger.scope import Scope
from sync.ledger.targets import connections_to_sync
from sync.models.choices import Kind, Priority, Trigger


def _asked() -> type[serializers.Serializer[Any]]:
    level = serializers.ChoiceField(
        list(Level), error_messages={"invalid_choice": f"Choose of: {', '.join(Level)}."}
    )
    fields = {
        "connectionId": IdField(),
        "from": serializers.DateField(help_text="The first day, at most 37 months ago."),
        "to": serializers.DateField(required=False, help_text="The last day; today without it."),
        "levels": serializers.ListField(
            child=level, required=False, default=list, max_length=len(Level), help_text="None: each."
        ),
        "__doc__": "Which days of which ad account to read.",
    }
    return type("BackfillSerializer", (serializers.Serializer,), fields)


BackfillSerializer = _asked()


class BackfillView(AccountView):
    """Ask for metrics of days that are gone."""

    @extend_schema(
        operation_id="insights_backfill",
        request=BackfillSerializer,
        responses={202: AcceptedSerializer, **refusals(400, 401, 403, 404, 409, 413, 429, 503)},
    )
    def post(self, request: Request) -> Response:
        """202 with the request's id. It is scheduled work: what people wait for goes first."""
        serializer = BackfillSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        connection = own_connection(self.account, asked["connectionId"])
        since, until = period(asked, [connection], timezone.now())
        requested = request_sync(
            self.account,
            connections_to_sync(self.account, connection.provider, connection.pk),
            trigger=Trigger.MANUAL,
            source="api",
            requested_by=request.user,  # type: ignore[arg-type]  # signed in
            kind=Kind.INSIGHTS,
            scope=Scope(levels=tuple(sorted(set(asked["levels"]))), date_from=since, date_to=until),
            limited=True,
            priority=Priority.SCHEDULED,
        )
        message = f"The metrics from {since} to {until} will be read behind what people wait for."
        return Response(AcceptedSerializer(accepted(requested, message)).data, status=202)
