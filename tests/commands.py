"""Run `manage.py` commands in this process, and read what they print."""

import io
import json
from typing import Any

from django.core.management import call_command


def run(*arguments: str) -> str:
    """All that it prints."""
    out = io.StringIO()
    call_command(*arguments, stdout=out, stderr=out)
    return out.getvalue()


def run_json(*arguments: str) -> Any:
    """What it tells to scripts."""
    return json.loads(run(*arguments, "--json"))
