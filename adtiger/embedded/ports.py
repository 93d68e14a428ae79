"""The port of each embedded server: chosen freely once, then kept, so that URLs handed out stay true."""

import json
import os
import socket
from pathlib import Path

HOST = "127.0.0.1"
_FILE = "port.json"


def remembered(folder: Path) -> int | None:
    """The port chosen last; whether our server answers there is for the caller to find out."""
    try:
        return int(json.loads((folder / _FILE).read_text())["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def choose(folder: Path) -> int:
    """The remembered port while it is free, else another one, remembered from now on."""
    port = remembered(folder)
    if port is not None and _is_free(port):
        return port
    with socket.create_server((HOST, 0)) as probe:
        port = int(probe.getsockname()[1])
    draft = folder / f"{_FILE}.{os.getpid()}"
    draft.write_text(json.dumps({"port": port}))
    draft.replace(folder / _FILE)
    return port


def _is_free(port: int) -> bool:
    try:
        with socket.create_server((HOST, port)):
            return True
    except OSError:
        return False
