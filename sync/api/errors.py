"""Turn domain errors into the documented error bodies; views contain no `try`."""

from typing import Any

from rest_framework.response import Response
from rest_framework.views import exception_handler


def handle(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's handler."""
    return exception_handler(exc, context)
