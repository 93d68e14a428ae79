"""Walking rows in the order of their keys, which is what makes the last one a cursor."""

from bisect import bisect_right
from collections.abc import Callable
from typing import Generic, TypeVar

from providers.errors import PlatformFault
from providers.records import Record

T = TypeVar("T")
Key = tuple[int, ...]


class Walk(Generic[T]):
    """Where a walk stands. Rows out of order are an error: behind such a cursor some would be missing."""

    def __init__(self, start: Key, key_of: Callable[[T], Key]) -> None:
        self._start = start
        self._key_of = key_of
        self._last: Key = ()

    def fresh(self, records: list[T]) -> list[T]:
        """Those of the next records that were not read before the start."""
        keys = [self._key_of(record) for record in records]
        if [self._last, *keys] != sorted({self._last, *keys}):
            raise PlatformFault("Google's rows did not come in the order of their keys")
        self._last = keys[-1]
        return records[bisect_right(keys, self._start) :]


def walk_of(cursor: str | None) -> Walk[Record]:
    """A walk through a stream's records, behind the external id `cursor`."""
    return Walk(ids_key(cursor), lambda record: ids_key(record.external_id))


def ids_key(external_id: str | None) -> Key:
    """By number, as Google sorts, not by text: 9 comes before 10. Nothing comes before all."""
    return tuple(map(int, external_id.split("~"))) if external_id else ()
