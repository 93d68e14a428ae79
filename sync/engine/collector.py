"""How often a worker looks for garbage in circles, while it syncs.

A page is a tree of some ten thousand small objects, of metrics a hundred thousand, that goes as it came, by
counting references; and two are here at a time. Python's own pace has the collector walk them again and
again: a third of a page's processor time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

NEW_OBJECTS = 400_000  # that outlive their counting, before it looks; Python's own number is 700


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Look seldom for the length of a `with` block, or of the function that this decorates."""
    before = gc.get_threshold()
    gc.set_threshold(max(NEW_OBJECTS, before[0]), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
