"""Pages by place: what comes behind the last row of the page before, whatever was written in between.

Rows that come, change or go meanwhile move no other row from one page to the next. DRF's own pages by
cursor know the place in one column only, and give up where a thousand rows have the same value there.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from django.core import signing
from django.db.models import F, Q, QuerySet
from django.db.models.fields.tuple_lookups import Tuple, TupleGreaterThan, TupleLessThan
from rest_framework.exceptions import ValidationError

STALE = "This cursor is of another list or order, or was changed. Begin again without one."


class Order(NamedTuple):
    """Columns that are never null, the last of which make a row unique; and which of them descend."""

    columns: tuple[str, ...]
    descending: tuple[bool, ...]

    @classmethod
    def of(cls, words: Sequence[str], orderings: dict[str, str], key: Sequence[str]) -> "Order":
        """The order that the words ask for. What they leave open goes the way of the last one."""
        columns = {orderings[word.removeprefix("-")]: word.startswith("-") for word in words}
        last = words[-1].startswith("-")
        for column in key:
            columns.setdefault(column, last)
        return cls(tuple(columns), tuple(columns.values()))

    @property
    def expressions(self) -> list[str]:
        """For `order_by`."""
        return [f"-{column}" if down else column for column, down in zip(*self, strict=True)]

    def place(self, row: Any) -> list[Any]:
        """Where a row stands."""
        return [row[column] if isinstance(row, dict) else getattr(row, column) for column in self.columns]


def behind(queryset: QuerySet[Any, Any], order: Order, place: Sequence[Any] | None) -> QuerySet[Any, Any]:
    """The rows that come after the place; all without one."""
    if place is None:
        return queryset
    if len(set(order.descending)) == 1:  # one comparison of rows, which is a range of an index
        further = TupleLessThan if order.descending[0] else TupleGreaterThan
        return queryset.filter(further(Tuple(*map(F, order.columns)), tuple(place)))
    found, same = Q(), Q()
    for column, down, value in zip(*order, place, strict=True):
        found |= same & Q(**{f"{column}__{'lt' if down else 'gt'}": value})
        same &= Q(**{column: value})
    return queryset.filter(found)


def cursor(place: Sequence[Any], about: str) -> str:
    """The place as a word that nobody can change; `about` says of which list and order it is."""
    return signing.Signer(salt=about).sign_object([_plain(value) for value in place], compress=True)


def place_of(word: str, about: str) -> list[Any]:
    """The place that `cursor` wrote; 400 for anything else."""
    try:
        place: list[Any] = signing.Signer(salt=about).unsign_object(word)
    except (signing.BadSignature, ValueError) as exc:
        raise ValidationError({"cursor": STALE}) from exc
    return place


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, UUID | date | datetime | Decimal) else value
