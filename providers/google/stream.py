"""`searchStream` answers: a JSON array that arrives in chunks, read as it comes.

Guarantee: good rows before a cut or an error are delivered first; memory holds one chunk.
"""

from collections.abc import Iterator
from typing import Any

import ijson
import requests

from providers.errors import Unreachable
from providers.google.errors import error_of

BLOCK = 65_536  # bytes per read: Google's chunks are larger


def rows_of(response: requests.Response) -> Iterator[dict[str, Any]]:
    """The rows of an answer; an error object between the chunks is raised where it stands."""
    try:
        with response:
            for chunk in ijson.items(ijson.from_iter(response.iter_content(BLOCK)), "item", use_float=True):
                if "error" in chunk:
                    raise error_of(response.status_code, chunk, response.headers)
                yield from chunk.get("results", ())
    except (requests.RequestException, ijson.JSONError) as exc:
        raise Unreachable(f"Google's answer broke off ({type(exc).__name__})") from None
