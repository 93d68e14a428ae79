"""The OpenAPI document and its page: right, complete, and without anything from elsewhere."""

import re
from contextlib import closing
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

# Django looks after the connections at each request's end, and an earlier test may have left one open.
pytestmark = pytest.mark.django_db

LISTS = {f"/api/{name}" for name in ("connections", "campaigns", "ad-groups", "ads", "runs")}
ROUTES = {
    **{path: {"get"} for path in (*LISTS, "/api/changes", "/api/insights", "/api/insights/totals")},
    **{f"{path}/{{id}}": {"get"} for path in LISTS},
    "/api/sync/manual": {"get", "post"},
    "/api/sync/status": {"get", "delete"},
    "/api/sync/status/{job_id}": {"get"},
    "/api/cron/sync-hourly": {"get", "post"},
    "/api/insights/backfill": {"post"},
    "/api/account": {"get"},
    "/api/account/switch": {"post"},
}


def test_the_document_is_valid_and_without_warnings(tmp_path: Path) -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yml"))


def test_the_document_lists_every_route(client: Client) -> None:
    document = client.get("/api/schema", headers={"Accept": "application/json"}).json()

    assert {path: set(methods) for path, methods in document["paths"].items()} == ROUTES
    assert set(document["components"]["securitySchemes"]) == {"apiToken", "cookieAuth", "cronSecret"}


def test_the_page_takes_everything_from_here(client: Client) -> None:
    page = client.get("/api/docs").content.decode()

    sources = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert sources
    assert [source for source in sources if not source.startswith("/static/")] == ["/api/docs?script="]
    for source in sources:
        with closing(client.get(source)) as response:
            assert response.status_code == 200


@pytest.mark.parametrize("path", ["/api/schema", "/api/docs"])
def test_the_document_needs_no_sign_in(client: Client, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize("method", ["OPTIONS", "POST"])
def test_the_page_is_only_to_be_looked_at(client: Client, method: str) -> None:
    assert client.generic(method, "/api/docs").status_code == 405
