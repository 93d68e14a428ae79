"""`searchStream` answers: a JSON array that arrives in chunks, read as it comes.

Guarantee: what came before a cut or an error is delivered first; memory holds one chunk, which Google
keeps below 10,000 rows. As in `providers.lenient`, an odd character costs itself and no row.
"""

import codecs
import re
from collections.abc import Iterator
from typing import Any

import ijson

from providers.google.errors import error_of
from providers.http import Answer, reading

Row = dict[str, Any]

# Of what a chunk consists; one that holds none of it is something else, and no empty account.
CHUNK = frozenset({"results", "fieldMask", "requestId", "queryResourceConsumption", "summaryRow"})
_NOT_IN_STRINGS = bytes.maketrans(bytes(range(0x20)), b" " * 0x20)  # between them they are white space
# The reader's memory grows with the square of the depth. Google's rows are five deep; a name may hold some.
_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_TOO_DEEP = re.compile(rb"[\[{]{250}")


def chunks_of(answer: Answer) -> Iterator[list[Row]]:
    """The rows of an answer; an error object between the chunks is raised where it stands."""
    try:
        for chunk in ijson.items(ijson.from_iter(_array(answer)), "item", use_float=True):
            if not isinstance(chunk, dict):
                raise answer.broken("no chunk of rows")
            if "error" in chunk:
                with reading("Google"):
                    error = error_of(answer.status, chunk, answer.headers)
                raise error
            if not chunk.keys() & CHUNK:
                raise answer.broken("no chunk of rows")
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
    blocks = _mended(answer)
    first = next(blocks, b"")
    if not first.lstrip().startswith(b"["):
        raise answer.broken("no JSON array")
    yield first
    yield from blocks


def _mended(answer: Answer) -> Iterator[bytes]:
    """The body's pieces, with U+FFFD for bytes that are no UTF-8, and no control characters."""
    decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
    for block in answer.blocks():
        mended = decoder.decode(block).encode().translate(_NOT_IN_STRINGS)
        if _TOO_DEEP.search(mended.translate(None, _BUT_BRACKETS)):
            raise answer.broken("nested too deeply")
        if mended:
            yield mended
