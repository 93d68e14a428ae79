"""What is asked of an ad account, and what is answered to a request that was accepted."""

from typing import Any
from uuid import UUID

from django.http import Http404
from rest_framework import serializers

from sync.api.serializers import Answer
from sync.ledger.request import Requested
from sync.models import Account, Connection


class AcceptedSerializer(Answer):
    """The request, to be followed under its id."""

    success = serializers.BooleanField()
    jobId = serializers.UUIDField()
    jobIds = serializers.ListField(child=serializers.UUIDField())
    syncHistoryId = serializers.UUIDField()
    message = serializers.CharField()
    joined = serializers.BooleanField(help_text="Whether a waiting run became this request's.")


def accepted(requested: Requested, message: str) -> dict[str, Any]:
    """Its fields."""
    return {
        "success": True,
        "jobId": requested.request.pk,
        "jobIds": [run.pk for run in requested.runs],
        "syncHistoryId": requested.request.pk,
        "message": message,
        "joined": bool(requested.joined),
    }


def own_connection(account: Account, pk: UUID) -> Connection:
    """404 for a `connectionId` that is unknown, or somebody else's."""
    one = Connection.objects.of_account(account).filter(pk=pk).first()
    if one is None:
        raise Http404("There is no ad account with this connectionId.")
    return one
