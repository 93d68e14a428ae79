"""What the admin shows around its pages."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest


def environment(request: HttpRequest) -> list[str] | None:
    """The badge beside the title outside production."""
    return None if settings.IS_PRODUCTION else [settings.ENVIRONMENT.title(), "info"]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the index adds to Django's own."""
    return context
