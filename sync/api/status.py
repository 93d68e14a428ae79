"""`/api/sync/status`: what the account's syncs are doing, and a way to stop them."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import SYNCERS, AccountView
from sync.api.jobs import find_job
from sync.api.queries import CancelQuery, ProviderQuery, checked, provider_of
from sync.api.schema import refusals
from sync.api.serializers import Answer, StatusSerializer
from sync.api.snapshot import snapshot
from sync.ledger.cancel import cancel
from sync.models import SyncRun
from sync.models.choices import RunState


class CancelledSerializer(Answer):
    """What was cancelled."""

    success = serializers.BooleanField()
    message = serializers.CharField()
    cancelledJobs = serializers.IntegerField()
    jobIds = serializers.ListField(child=serializers.UUIDField(), help_text="The runs.")


class StatusView(AccountView):
    """All of the account's ad accounts, or one provider's."""

    @extend_schema(
        operation_id="sync_status",
        parameters=[ProviderQuery],
        responses={200: StatusSerializer, **refusals(400, 401, 403, 503)},
    )
    def get(self, request: Request) -> Response:
        """Status, queues, history and figures; cheap enough to be asked every few seconds."""
        can_sync = self.membership.role in SYNCERS
        told = snapshot(self.account, provider_of(request), can_sync=can_sync)
        return Response(StatusSerializer(told).data)

    @extend_schema(
        operation_id="sync_cancel",
        parameters=[CancelQuery],
        responses={200: CancelledSerializer, **refusals(400, 401, 403, 404, 503)},
    )
    def delete(self, request: Request) -> Response:
        """Cancel waiting runs at once, and running ones when their page is committed."""
        query = checked(request, CancelQuery)
        runs = SyncRun.objects.of_account(self.account)
        if "jobId" in query:
            runs = runs.filter(pk__in=[run.pk for run in find_job(self.account, query["jobId"]).runs])
        if "provider" in query:
            runs = runs.filter(provider=query["provider"])
        return Response(CancelledSerializer(_told(cancel(runs, by=request.user.get_username()))).data)


def _told(cancelled: list[SyncRun]) -> dict[str, Any]:
    ending = sum(run.state == RunState.RUNNING for run in cancelled)
    waited = len(cancelled) - ending
    message = f"{waited} waiting cancelled, {ending} running will stop after the current page."
    return {
        "success": True,
        "message": message if cancelled else "Nothing was waiting or running.",
        "cancelledJobs": len(cancelled),
        "jobIds": [run.pk for run in cancelled],
    }
