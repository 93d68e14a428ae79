"""Reading the payloads."""

from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).parent


def lines(name: str) -> list[dict[str, Any]]:
    """The objects of a file with one per line."""
    return [orjson.loads(line) for line in (FOLDER / name).read_bytes().splitlines()]


def read(name: str) -> dict[str, Any]:
    """The object of a file that holds one."""
    found: dict[str, Any] = orjson.loads((FOLDER / name).read_bytes())
    return found
