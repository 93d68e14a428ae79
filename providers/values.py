"""Values of an answer, read so that an odd one costs itself and no more.

Guarantee: what comes out has the type and the range of its column. One odd value must not stop a whole
account's sync; it becomes the nearest harmless one, and is counted and logged. NUL is the merge's to mend.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from providers.records import EntityStatus, Record

logger = logging.getLogger(__name__)

LONGEST_ID = 80  # characters; the longest of the platforms has 41: two numbers of 64 bits and a tilde
LARGEST = 2**63 - 1  # of the columns for money
_LARGEST = Decimal(LARGEST)
MICROS = 1_000_000

Row = dict[str, Any]


def with_id(records: Sequence[Record]) -> list[Record]:
    """Without those that have none; a page where all lack it is in another form, and no empty account."""
    found = [record for record in records if record.external_id]
    if records and not found:
        raise ValueError("no row of the page has an id")
    return found


class Values:
    """Reads the values of one page. `odd` counts those that were mended; `statuses` are unknown words."""

    def __init__(self) -> None:
        self.odd = 0
        self.statuses = set[str]()

    def text(self, value: object) -> str:
        """Numbers become text; what is neither becomes nothing."""
        if type(value) is str:
            return value
        self.odd += 1
        return str(value) if type(value) in (int, float) else ""

    def id(self, value: object) -> str:
        """Empty for what can't be an id."""
        text = self.text(value)
        if len(text) <= LONGEST_ID:
            return text
        self.odd += 1
        return ""

    def status(self, word: object, known: Mapping[str, EntityStatus]) -> EntityStatus:
        """What a platform's word means."""
        text = str(word)
        if (status := known.get(text)) is not None:
            return status
        if word is not None:
            self.statuses.add(text)
        return EntityStatus.UNKNOWN

    def number(self, value: object, unit: int = 1) -> int | None:
        """A whole number of `unit`s, from text or number."""
        if value is None or value == "":
            return None
        try:
            number = int(value) * unit  # type: ignore[call-overload]  # what is no number is an error here
        except (TypeError, ValueError, OverflowError):
            number = None
        if number is not None and -LARGEST <= number <= LARGEST:
            return number  # type: ignore[no-any-return]  # whole by now
        self.odd += 1
        return None

    def decimal(self, value: object) -> Decimal | None:
        """A finite number, exactly as it was written."""
        if value is None or value == "":
            return None
        number: Decimal | None = None
        try:
            if type(value) is str:
                number = Decimal(value)
            elif type(value) in (int, float):
                number = Decimal(str(value))
        except InvalidOperation:
            pass
        if number is not None and number.is_finite() and -_LARGEST <= number <= _LARGEST:
            return number
        self.odd += 1
        return None

    def micros(self, value: object) -> int | None:
        """Millionths of an amount in whole units, exactly; what is finer than that is rounded."""
        number = value if type(value) is Decimal else self.decimal(value)
        if number is None:
            return None
        micros = round(number * MICROS)
        if -LARGEST <= micros <= LARGEST:
            return micros
        self.odd += 1
        return None

    def day(self, value: object) -> date | None:
        """A day as ISO 8601 writes it."""
        try:
            return date.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            self.odd += 1
            return None

    def moment(self, value: object, read: Callable[[str], datetime | None]) -> datetime | None:
        """What `read` makes of a text."""
        if value is None or value == "":
            return None
        try:
            if isinstance(value, str):
                return read(value)
        except (ValueError, OverflowError):
            pass
        self.odd += 1
        return None

    def row(self, value: object) -> Row:
        """An object of the answer; empty for what is none."""
        if type(value) is dict:
            return value
        self.odd += 1
        return {}

    def tell(self, provider: str, stream: str) -> None:
        """Log how many were odd, if any were; never which, for they may be anybody's data."""
        if self.odd:
            logger.warning("odd values", extra={"provider": provider, "stream": stream, "count": self.odd})
