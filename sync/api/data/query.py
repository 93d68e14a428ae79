"""What stands behind a list's question mark: its own filters, and what every list takes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.serializers import CharField, ChoiceField, IntegerField

from sync.api.data.fields import moment, own_ids, words
from sync.api.data.row import Row
from sync.api.queries import checked
from sync.models.choices import Provider

LARGEST_PAGE = 500
PAGE = 50
JSON, CSV = "json", "csv"

Query = type[serializers.Serializer[Any]]


class OfProviders(serializers.Serializer[Any]):
    """At which providers; without it at all."""

    provider = words(Provider.values)


class OfConnections(OfProviders):
    """Of which ad accounts; without these of all that the account has."""

    connection = own_ids("Our id of an ad account.")


class During(serializers.Serializer[Any]):
    """From when to when."""

    since = moment("From then on.")
    until = moment("Before then.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        since, until = attrs.get("since"), attrs.get("until")
        if since and since > timezone.now():
            raise serializers.ValidationError({"since": "It is yet to come."})
        if since and until and since >= until:
            raise serializers.ValidationError({"until": "It must be later than since."})
        return attrs


class Nothing(serializers.Serializer[Any]):
    """There is one."""


def list_query(filters: Query, row: type[Row], orderings: Iterable[str]) -> Query:
    """The filters, with the order, the place, the fields and the format that every list takes."""
    both = [sign + word for word in orderings for sign in ("", "-")]
    return _made(
        filters,
        "ListQuery",
        {
            **_fields_of(row),
            "ordering": words(both, "By what; a minus turns it round. Nothing counts as the smallest."),
            "cursor": CharField(
                required=False, max_length=2000, help_text="`nextCursor` of the page before."
            ),
            "pageSize": IntegerField(
                required=False, min_value=1, max_value=LARGEST_PAGE, help_text="50 without."
            ),
            "format": ChoiceField(
                [JSON, CSV], required=False, help_text="csv: the whole list, streamed. Or Accept: text/csv."
            ),
        },
    )


def detail_query(filters: Query, row: type[Row]) -> Query:
    """What one entity's route takes."""
    return _made(filters, "DetailQuery", _fields_of(row))


def _fields_of(row: type[Row]) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    extra = f" {', '.join(row.on_request)} only when asked for." if row.on_request else ""
    return {"fields": words(row.names(), f"Only these, in this order.{extra}")}


def _made(filters: Query, suffix: str, fields: Mapping[str, object]) -> Query:
    return type(
        filters.__name__.removesuffix("Filters") + suffix, (filters,), {"__doc__": filters.__doc__, **fields}
    )


def asked(request: Request, query: Query) -> dict[str, Any]:
    """The query's values. An error names the parameter that is unknown, sent twice or wrong."""
    known: Sequence[str] = list(query().fields)
    errors = {}
    for name, values in request.query_params.lists():
        if name not in known:
            errors[name] = f"This parameter is unknown. Choose of: {', '.join(known)}."
        elif len(values) > 1:
            errors[name] = "Send it once; several values are separated by commas."
    if errors:
        raise serializers.ValidationError(errors)
    return checked(request, query)
