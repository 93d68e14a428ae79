"""Pages of one size out of chunks of any size."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from providers.errors import ProviderError

T = TypeVar("T")


def paged(chunks: Iterable[list[T]], size: int) -> Iterator[tuple[list[T], bool]]:
    """Groups of `size`, each with whether it is the last, which may be empty.

    What came before a cut is yielded before its error: a long stream gets on, however often it breaks.
    """
    waiting: list[T] = []
    try:
        for chunk in chunks:
            waiting += chunk
            while len(waiting) > size:  # a full page waits: only the end tells which is the last
                page, waiting = waiting[:size], waiting[size:]
                yield page, False
    except ProviderError:
        if waiting:
            yield waiting, False
        raise
    yield waiting, True
