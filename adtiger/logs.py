"""One log format for web, workers, beat and commands: JSON lines, or colours on a terminal.

Every line carries the ids that were bound (request, run), so that one sync can be followed through
all processes. Secrets are kept out at the source: no code logs tokens, URLs with queries or bodies.
"""

import logging
from http import HTTPStatus
from typing import Any

import structlog


class WithoutProbes(logging.Filter):
    """Leaves out Django's error of each probe that is answered 503; `adtiger.health` tells why, once."""

    def filter(self, record: logging.LogRecord) -> bool:
        path = getattr(getattr(record, "request", None), "path_info", None)
        return (path, getattr(record, "status_code", None)) != ("/readyz", HTTPStatus.SERVICE_UNAVAILABLE)


def _without_query(_: Any, __: str, event: dict[str, Any]) -> dict[str, Any]:
    """A request by its method and path: its query may hold a secret, as Meta's verify token."""
    request = event.get("request")
    if isinstance(request, str):
        event["request"] = request.partition("?")[0]
    elif request is not None:
        event["request"] = f"{request.method} {request.path}"
    return event


# What each line tells, whoever writes it: structlog's loggers or the standard library's.
SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.stdlib.ExtraAdder(),
    _without_query,
]


def configure(level: str, style: str) -> dict[str, Any]:
    """Set structlog up and return Django's LOGGING dictionary for the same format: "json" or "console"."""
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"lines": _formatter(style)},
        "filters": {"without_probes": {"()": WithoutProbes}},
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "django.server": {"handlers": ["console"], "level": level, "propagate": False},
            "django.request": {"filters": ["without_probes"]},
            "celery.app.trace": {"level": "WARNING"},  # "succeeded in" for every hint says nothing
        },
    }


def _formatter(style: str) -> dict[str, Any]:
    """Tracebacks go without the values of variables: tokens are among them."""
    renderers: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if style == "json"
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    return {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        "foreign_pre_chain": SHARED,
    }
