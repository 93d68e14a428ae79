"""The Lua scripts beside this file, each atomic; the server caches them and is told again when it forgot."""

from pathlib import Path

import redis
from redis.commands.core import Script

_FOLDER = Path(__file__).parent


def load(client: redis.Redis, name: str) -> Script:
    """The named script, behind the beginning that all share."""
    return client.register_script("".join((_FOLDER / f"{part}.lua").read_text() for part in ("epoch", name)))
