"""Walking a stream in the order of its ids, which is what makes the last id a cursor."""

from bisect import bisect_right

from providers.errors import PlatformFault
from providers.records import Record

Key = tuple[int, ...]


class Walk:
    """Where a walk stands. Rows out of order are an error: behind such a cursor some would be missing."""

    def __init__(self, cursor: str | None) -> None:
        self._start: Key = _key(cursor) if cursor else ()
        self._last: Key = ()

    def fresh(self, records: list[Record]) -> list[Record]:
        """Those of the next records that were not read before the cursor."""
        keys = [_key(record.external_id) for record in records]
        if [self._last, *keys] != sorted({self._last, *keys}):
            raise PlatformFault("Google's rows did not come in the order of their ids")
        self._last = keys[-1]
        return records[bisect_right(keys, self._start) :]


def _key(external_id: str) -> Key:
    """By number, as Google sorts, not by text: 9 comes before 10."""
    return tuple(map(int, external_id.split("~")))
