"""`/api/sync/manual`: the manual-sync button."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import SYNCERS, AccountView
from sync.api.fields import IdField, PlatformIdField, ProviderField
from sync.api.queries import NamedProviderQuery, provider_of
from sync.api.queue_state import QueueState, load_queue_state
from sync.api.requested import AcceptedSerializer, accepted, own_connection
from sync.api.runs import history_line
from sync.api.schema import refusals
from sync.api.serializers import Answer, QueueStateSerializer, RunSerializer
from sync.api.stats import history_of
from sync.ledger import wishes
from sync.ledger.manual_limit import manual_allowance
from sync.ledger.position import positions
from sync.ledger.request import Requested, request_sync
from sync.ledger.scope import MOST_NAMED, Scope
from sync.ledger.targets import connections_to_sync
from sync.models import Account, Connection
from sync.models.choices import Kind, RunState, Trigger

NEWEST = 10


class ManualSyncSerializer(serializers.Serializer[Any]):
    """What to sync; without `campaignIds`, or with none, all that changed, or all of it once a day."""

    provider = ProviderField()
    campaignIds = serializers.ListField(
        child=PlatformIdField(), max_length=MOST_NAMED, required=False, default=list
    )
    connectionId = IdField(required=False)


class SkippedSerializer(Answer):
    """An ad account, and a run of it that covers a part of the request."""

    connectionId = serializers.UUIDField()
    externalId = serializers.CharField()
    jobId = serializers.UUIDField()


class ManualAcceptedSerializer(AcceptedSerializer):
    """The request, to be followed under its id, and what it left out."""

    queuePosition = serializers.IntegerField(allow_null=True)
    skipped = SkippedSerializer(many=True)


class ManualConnectionSerializer(Answer):
    """The provider's ad accounts as one."""

    status = serializers.CharField()
    lastSyncAt = serializers.DateTimeField(allow_null=True)
    nextSyncAt = serializers.DateTimeField(allow_null=True)
    syncErrors = serializers.IntegerField(help_text="How many of them have errors.")


class ManualStatusSerializer(Answer):
    """What the button shows."""

    syncStatus = QueueStateSerializer()
    recentSyncs = RunSerializer(many=True)
    connection = ManualConnectionSerializer()
    canSync = serializers.BooleanField()


class ManualSyncView(AccountView):
    """Ask for a sync now, and what the button needs to know before."""

    @extend_schema(
        operation_id="sync_manual",
        request=ManualSyncSerializer,
        responses={202: ManualAcceptedSerializer, **refusals(400, 401, 403, 404, 409, 413, 429, 503)},
    )
    def post(self, request: Request) -> Response:
        """202 with the request's id; its runs start before everything that is scheduled."""
        serializer = ManualSyncSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        asked = serializer.validated_data
        requested = request_sync(
            self.account,
            _targets(self.account, asked["provider"], asked.get("connectionId")),
            trigger=Trigger.MANUAL,
            source="api",
            requested_by=request.user,  # type: ignore[arg-type]  # signed in
            wishes=_wishes(asked["campaignIds"]),
            limited=True,
        )
        return Response(ManualAcceptedSerializer(_accepted(requested)).data, status=202)

    @extend_schema(
        operation_id="sync_manual_state",
        parameters=[NamedProviderQuery],
        responses={200: ManualStatusSerializer, **refusals(400, 401, 403, 503)},
    )
    def get(self, request: Request) -> Response:
        """The provider's queue, its ten newest syncs, and whether a sync can be asked for."""
        provider = provider_of(request, NamedProviderQuery)
        state = load_queue_state(self.account, provider)
        history = history_of(self.account, provider).order_by("-created_at")[:NEWEST]
        may = self.membership.role in SYNCERS and manual_allowance(self.account).is_free
        told = {
            "syncStatus": state.together(),
            "recentSyncs": [history_line(run) for run in history],
            "connection": _connection(state),
            "canSync": may and _has_free(state),
        }
        return Response(ManualStatusSerializer(told).data)


def _targets(account: Account, provider: str, connection_id: UUID | None) -> list[Connection]:
    """The ad accounts meant; 404 for a `connectionId` that is unknown, or somebody else's."""
    if connection_id is not None:
        one = own_connection(account, connection_id)
        if one.provider != provider:
            label = one.get_provider_display()
            raise serializers.ValidationError({"connectionId": f"This ad account is one of {label}."})
    return connections_to_sync(account, provider, connection_id)


def _wishes(campaign_ids: list[str]) -> wishes.Wishes:
    """Campaigns that are named are read at once with what is below them; without any, all that is due."""
    if not campaign_ids:
        return wishes.of_person
    return wishes.only(wishes.Wish(Kind.ADS, Scope(campaign_ids=tuple(sorted(set(campaign_ids))))))


def _accepted(requested: Requested) -> dict[str, Any]:
    return {
        **accepted(requested, _message(requested)),
        "queuePosition": min(positions(requested.runs).values(), default=None),
        "skipped": [
            {
                "connectionId": one.connection.pk,
                "externalId": one.connection.external_id,
                "jobId": one.run.request_id,
            }
            for one in requested.skipped
        ],
    }


def _message(requested: Requested) -> str:
    number = len({run.connection_id for run in requested.runs})
    accounts = "1 ad account" if number == 1 else f"{number} ad accounts"
    joined = " A waiting sync was moved to the front for it." if requested.joined else ""
    others = {one.connection.pk for one in requested.skipped} - {run.connection_id for run in requested.runs}
    skipped = f" {len(others)} more were syncing already." if others else ""
    return f"The sync of {accounts} will start as soon as a worker is free.{joined}{skipped}"


def _connection(state: QueueState) -> dict[str, Any]:
    """Several ad accounts as one: active if any is, the latest sync, the next one, all errors."""
    conditions = [one.condition for one in state.connections] or ["disconnected"]
    active = [one for one in state.connections if one.condition == "active"]
    return {
        "status": "active" if active else conditions[0],
        "lastSyncAt": max((one.last_sync_at for one in state.connections if one.last_sync_at), default=None),
        "nextSyncAt": min((one.next_sync_at for one in active), default=None),
        "syncErrors": sum(state.has_errors(one) for one in state.connections),
    }


def _has_free(state: QueueState) -> bool:
    """Whether anything could be read that is not about to be: else asking would be refused."""
    busy = {
        (run.connection_id, run.kind)
        for run in state.open_runs
        if (run.state == RunState.RUNNING or run.trigger == Trigger.MANUAL)
        and run.date_from is None  # days that somebody named are no sync of what is now
    }
    active = (one for one in state.connections if one.condition == "active")
    return any((one.pk, wish.kind) not in busy for one in active for wish in wishes.of_person(one))
