"""Lua scripts of Redis and Valkey, each atomic; the server caches them and is told again when it forgot."""

from pathlib import Path

import redis
from redis.commands.core import Script


def load(client: redis.Redis, folder: Path, *parts: str) -> Script:
    """The parts, files of the folder, as one script: what several share stands first."""
    return client.register_script("".join((folder / f"{part}.lua").read_text() for part in parts))
