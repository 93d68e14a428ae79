"""`searchStream` answers: a JSON array that arrives in chunks, read as it comes.

Guarantee: what came before a cut or an error is delivered first; memory holds one chunk, which Google
keeps below 10,000 rows.
"""

from collections.abc import Iterator
from typing import Any

import ijson

from providers.google.errors import error_of
from providers.http import Answer, reading

Row = dict[str, Any]


def chunks_of(answer: Answer) -> Iterator[list[Row]]:
    """The rows of an answer; an error object between the chunks is raised where it stands."""
    try:
        for chunk in ijson.items(ijson.from_iter(_array(answer)), "item", use_float=True):
            if "error" in chunk:
                with reading("Google"):
                    error = error_of(answer.status, chunk, answer.headers)
                raise error
            if rows := chunk.get("results"):
                yield rows
    except ijson.JSONError as exc:
        how = type(exc).__name__
    else:
        return
    finally:
        answer.close()
    raise answer.broken(how)


def _array(answer: Answer) -> Iterator[bytes]:
    """The body, if it is an array: anything else has no chunks, and would pass for an empty account."""
    blocks = answer.blocks()
    first = next(blocks, b"")
    if not first.lstrip().startswith(b"["):
        raise answer.broken("no JSON array")
    yield first
    yield from blocks
