"""One line of a list: of its fields the caller may choose, and only their columns are read."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from sync.api.serializers import Answer
from sync.models import Connection

Field = serializers.Field[Any, Any, Any, Any]


class Row(Answer):
    """Base of the lines. `source` names the column of the queryset's row."""

    on_request: Collection[str] = ()  # large ones

    def __init__(self, *args: Any, chosen: Sequence[str] = (), **options: Any) -> None:
        super().__init__(*args, **options)
        self._chosen = chosen

    def get_fields(self) -> dict[str, Field]:
        declared = super().get_fields()
        return {name: declared[name] for name in self._chosen or declared}

    @classmethod
    def names(cls) -> list[str]:
        """All fields."""
        return list(cls().fields)

    @classmethod
    def usual(cls) -> list[str]:
        """Those that come unasked."""
        return [name for name in cls.names() if name not in cls.on_request]

    @property
    def columns(self) -> set[str]:
        """What the chosen fields are made of."""
        return {str(field.source) for field in self.fields.values()}


@extend_schema_field(OpenApiTypes.STR)
class OfConnectionField(serializers.ReadOnlyField):
    """Something of the row's ad account, which the view has read once for all rows."""

    def __init__(self, attribute: str, **options: Any) -> None:
        super().__init__(source="connection_id", **options)
        self.attribute = attribute

    def to_representation(self, value: UUID) -> Any:
        connections: Mapping[UUID, Connection] = self.context["connections"]
        return getattr(connections[value], self.attribute)
