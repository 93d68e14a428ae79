"""JSON as platforms really send it.

What orjson refuses for one character (half of a surrogate pair, bytes that are no UTF-8, a bare control
character, NaN) is read once more by the slower standard library, with U+FFFD where no character is: one
odd name must not hide the other 499 rows of a page. What is no JSON at all stays an error.
"""

import json
import logging
import re
from typing import Any

import orjson

logger = logging.getLogger(__name__)

_HALF = re.compile("[\ud800-\udfff]")  # json joins pairs, so what is left is alone
_INT64_DIGITS = 18  # longer ones may not fit into 64 bits; orjson makes floats of them, too


def loads(body: bytes | bytearray) -> Any:
    """The value of a body. Raises `ValueError` without the body in it."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        value = _mended(json.loads(body.decode("utf-8-sig", "replace"), **_LENIENT))
    except (ValueError, RecursionError):
        value = _NONE
    if value is _NONE:  # raised out here: json's error holds the document
        raise ValueError("no JSON")
    logger.warning("answer mended", extra={"bytes": len(body)})
    return value


_NONE = object()
_LENIENT: dict[str, Any] = {
    "strict": False,
    "parse_constant": lambda _: None,
    "parse_int": lambda digits: int(digits) if len(digits) <= _INT64_DIGITS else float(digits),
}


def _mended(value: Any) -> Any:
    match value:
        case str():
            return _HALF.sub("\ufffd", value)
        case list():
            return [_mended(item) for item in value]
        case dict():
            return {_mended(name): _mended(item) for name, item in value.items()}
        case _:
            return value
