"""What platforms send that this version does not know. It fails nothing, but somebody has to hear of it.

Parsers tell of it page by page; whoever listens gets the counts, and without a listener nothing is kept.
Nearly nothing is paid per row: of a long page some rows are looked at, and others the next time.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import accumulate
from operator import itemgetter
from random import randrange
from typing import Any, NamedTuple, TypeVar

from providers.records import Record

T = TypeVar("T")

WORDS, KEYS = 250, 8  # rows of a page at most whose words, and whose keys, are compared
NO_WORD, NO_NAME = "(no word)", "(no name)"  # what may be anybody's data is not kept


class DriftKind(StrEnum):
    """In what an answer differs from what this version knows."""

    WORD = "word"  # one of an enum
    KEY = "key"  # of a row: nobody asked for it
    MISSING = "missing"  # a key that every row should have
    FIELD = "field"  # asked for, and refused: the platform's version no longer has it
    VERSION = "version"  # the platform warns of the version's end, or has ended it


class Oddity(NamedTuple):
    """One thing that is not known. Its count is the number of pages, or of answers, that had it."""

    kind: DriftKind
    place: str  # campaigns.objective, ads.creative.id
    value: str


_FORMS = {
    DriftKind.WORD: (re.compile(r"[A-Z][A-Z0-9_]{0,79}"), NO_WORD),
    DriftKind.KEY: (re.compile(r"\w{1,80}"), NO_NAME),
}
_heard: ContextVar[Counter[Oddity] | None] = ContextVar("heard", default=None)


@contextmanager
def listening() -> Iterator[Counter[Oddity]]:
    """Count what is told in this context."""
    heard = Counter[Oddity]()
    token = _heard.set(heard)
    try:
        yield heard
    finally:
        _heard.reset(token)


def tell(kind: DriftKind, place: str, value: str) -> None:
    """One page, or one answer, that has it."""
    if (heard := _heard.get()) is None:
        return
    form, otherwise = _FORMS.get(kind, (None, ""))
    heard[Oddity(kind, place, value[:80] if form is None or form.fullmatch(value) else otherwise)] += 1


@dataclass(frozen=True)
class Known:
    """What the rows of one kind may hold.

    Keys are paths into the row: `creative.id`. `words` are by the record's column, with their path.
    """

    place: str
    keys: frozenset[str]
    required: frozenset[str] = frozenset()
    status: str = ""  # the path of the word that decides a record's status
    words: tuple[tuple[int, str, frozenset[str]], ...] = ()
    parents: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        above = {parent for key in self.keys for parent in _above(key)}
        object.__setattr__(self, "parents", frozenset(above))

    def compare(
        self, rows: Sequence[Any], records: Sequence[Record] = (), statuses: Iterable[str] = ()
    ) -> None:
        """Tell what a page has that is not known. Records are those of the rows, where they hold words;
        `statuses` are words of the status that the parser did not know."""
        some = _some(records, WORDS)
        for column, path, words in self.words:
            if not words.issuperset(map(itemgetter(column), some)):
                self._tell_words(path, {str(record[column]) for record in some} - words)
        self._tell_words(self.status, statuses)
        self._compare_keys([row for row in _some(rows, KEYS) if type(row) is dict])

    def _compare_keys(self, rows: Iterable[dict[str, Any]]) -> None:
        found = [set(self._paths(row)) for row in rows]
        for key in set[str]().union(*found) - self.keys:
            parent, _, name = key.rpartition(".")
            tell(DriftKind.KEY, f"{self.place}.{parent}".rstrip("."), name)
        for key in self.required:
            if not all(key in keys for keys in found):
                tell(DriftKind.MISSING, self.place, key)

    def _tell_words(self, path: str, words: Iterable[str]) -> None:
        for word in words:
            tell(DriftKind.WORD, f"{self.place}.{path}", word)

    def _paths(self, row: dict[str, Any], above: str = "") -> Iterator[str]:
        for name, value in row.items():
            path = f"{above}{name}"
            if path in self.parents and type(value) is dict:
                yield from self._paths(value, f"{path}.")
            else:
                yield path


def _some(rows: Sequence[T], most: int) -> Sequence[T]:
    """All of a few; of many each n-th, from a place that differs from time to time."""
    step = -(-len(rows) // most)
    return rows[randrange(step) :: step] if step > 1 else rows  # noqa: S311  (no secret)


def known_words(record: type[Record], **columns: tuple[str, Iterable[str]]) -> Any:
    """For `Known.words`: each column's path and words. Nothing is a word, too: the field may be empty."""
    fields: tuple[str, ...] = record._fields
    return tuple(
        (fields.index(column), path, frozenset(["", *words])) for column, (path, words) in columns.items()
    )


def _above(path: str) -> list[str]:
    """`a` and `a.b` of `a.b.c`."""
    return list(accumulate(path.split(".")[:-1], lambda above, name: f"{above}.{name}"))
