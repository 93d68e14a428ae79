"""What stands behind the question mark, checked like a body."""

from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request

from sync.api.fields import IdField, ProviderField


class ProviderQuery(serializers.Serializer[Any]):
    """`?provider=`, which may be left out."""

    provider = ProviderField(required=False)


class NamedProviderQuery(serializers.Serializer[Any]):
    """`?provider=`, which may not."""

    provider = ProviderField()


class CancelQuery(serializers.Serializer[Any]):
    """What to cancel: all of a provider, or one job."""

    provider = ProviderField(required=False)
    jobId = IdField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise serializers.ValidationError({"provider": "Name a provider or a jobId."})
        return attrs


def provider_of(request: Request, query: type[serializers.Serializer[Any]] = ProviderQuery) -> str | None:
    """The provider asked for; None for all."""
    return checked(request, query).get("provider")


def checked(request: Request, query: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """The query's values, or an error that names the wrong one."""
    # as a plain dict: a serializer reads a QueryDict as an HTML form, where an empty value means "not sent"
    serializer = query(data=request.query_params.dict())
    serializer.is_valid(raise_exception=True)
    values: dict[str, str | UUID] = serializer.validated_data
    return values
