"""The logs: whole tracebacks, and in none of them the values of variables, where tokens are."""

import logging
import logging.config
import sys

import pytest
from django.test import RequestFactory

from adtiger import logs

TOKEN = "".join(("sec", "ret-", "token"))  # in no line of this file, which a traceback shows


@pytest.mark.parametrize(
    ("path", "status", "is_kept"), [("/readyz", 503, False), ("/readyz", 500, True), ("/api/runs", 503, True)]
)
def test_probes_that_are_told_to_wait_are_no_errors(path: str, status: int, is_kept: bool) -> None:
    config = logs.configure("INFO", "json")
    assert config["loggers"]["django.request"]["filters"] == ["without_probes"]
    kept = logging.config.DictConfigurator(config).configure_filter(config["filters"]["without_probes"])

    record = logging.makeLogRecord({"request": RequestFactory().get(path), "status_code": status})

    assert bool(kept.filter(record)) is is_kept


def test_a_requests_query_is_not_logged() -> None:
    config = logs.configure("INFO", "json")
    formatter = logging.config.DictConfigurator(config).configure_formatter(config["formatters"]["lines"])
    url = f"/api/webhooks/meta?hub.verify_token={TOKEN}"
    for request in (RequestFactory().get(url), f"GET {url}"):
        line = formatter.format(logging.makeLogRecord({"name": "django.request", "request": request}))

        assert "GET /api/webhooks/meta" in line
        assert TOKEN not in line


def fail_with(token: str) -> None:
    raise ValueError(len(token))


@pytest.mark.parametrize("style", ["json", "console"])
def test_a_traceback_tells_where_and_no_values(style: str) -> None:
    config = logs.configure("INFO", style)
    formatter = logging.config.DictConfigurator(config).configure_formatter(config["formatters"]["lines"])
    try:
        fail_with(TOKEN)
    except ValueError:
        record = logging.getLogger("foreign").makeRecord(
            "foreign", logging.ERROR, __file__, 1, "it failed", (), sys.exc_info()
        )

    line = formatter.format(record)

    assert "test_a_traceback_tells_where_and_no_values" in line
    assert "ValueError" in line
    assert TOKEN not in line
