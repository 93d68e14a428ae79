"""The one error of the embedded servers, written for the person who has to do something about it."""

from pathlib import Path

_TAIL_LINES = 12  # enough for a server's reason; a screen still shows the message above it


class EmbeddedError(Exception):
    """An embedded server could not be started or stopped; the message says why and what to do."""


def with_log(message: str, log: Path) -> str:
    """The message, and below it the end of the server's log where there is one."""
    try:
        lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    except OSError:
        return message
    return "\n".join([message, f"The end of {log}:", *(f"  {line}" for line in lines)])
