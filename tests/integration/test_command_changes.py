"""The change history as an operator reads it: `manage.py changes`, and the admin's export."""

import csv
import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from sync import changes
from sync.admin.words import listing
from sync.changes import COLUMNS, as_csv, as_json
from sync.models import Account, Campaign, Change, Connection
from tests.commands import run, run_json
from tests.factories import make_connection, make_run

NOON = datetime(2026, 11, 3, 12, tzinfo=UTC)


def make_change(connection: Connection, **columns: Any) -> Change:
    defaults = {
        "run_id": uuid4(),
        "entity": "campaign",
        "external_id": "1",
        "action": "updated",
        "field": "name",
    }
    return Change.objects.create(connection=connection, **{**defaults, **columns})


def found(*arguments: str) -> list[str]:
    """The external ids of the changes, as they are listed."""
    return [line["external_id"] for line in run_json("changes", *arguments)["changes"]]


@pytest.mark.parametrize(
    ("columns", "arguments"),
    [
        ({"entity": "ad"}, ["--entity", "ad"]),
        ({"field": "daily_budget_micros"}, ["--field", "daily_budget_micros"]),
        ({"action": "removed", "field": ""}, ["--action", "removed"]),
        ({}, ["--id", "wanted"]),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else None,
)
def test_each_option_narrows_what_is_told(
    connection: Connection, columns: dict[str, Any], arguments: list[str]
) -> None:
    make_change(connection)
    make_change(connection, **{"external_id": "wanted", **columns})

    assert found(*arguments) == ["wanted"]


@pytest.mark.parametrize(
    ("arguments", "hours"),
    [
        (["--since", "2026-11-03", "--until", "2026-11-03"], ["23", "12", "0"]),
        (["--since", "2026-11-03T12:00", "--until", "2026-11-04T01:00+01:00"], ["23", "12"]),
        (["--since", "2026-11-03T13:01+01:00"], ["24", "23"]),
        (["--until", "2026-11-02"], ["-1"]),
    ],
    ids=lambda given: " ".join(given),
)
def test_a_period_begins_with_its_first_moment_and_ends_before_its_last(
    connection: Connection, arguments: list[str], hours: list[str]
) -> None:
    for hour in (-1, 0, 12, 23, 24):
        at = datetime(2026, 11, 3, tzinfo=UTC) + timedelta(hours=hour)
        make_change(connection, external_id=str(hour), seen_at=at)

    assert found(*arguments) == hours


def test_the_options_choose_whose_changes(account: Account, other_account: Account) -> None:
    ours, theirs = make_connection(account), make_connection(other_account, "google")
    make_change(ours, external_id="ours")
    make_change(theirs, external_id="theirs")

    assert found("--account", "Acme") == ["ours"]
    assert found("--provider", "google") == ["theirs"]
    assert found("--connection", ours.external_id) == ["ours"]
    with pytest.raises(CommandError, match="--id: no campaign, ad group or ad 'theirs' is known"):
        run("changes", "--account", "Acme", "--id", "theirs")


def test_a_runs_changes_are_found_after_the_run_is_gone(connection: Connection) -> None:
    kept = make_run(connection)
    gone = make_change(connection, external_id="gone")
    make_change(connection, external_id="kept", run_id=kept.pk)

    assert found("--run", str(gone.run_id)) == ["gone"]
    assert found("--run", str(kept.pk)) == ["kept"]


def test_a_table_tells_both_values_who_and_which_run(connection: Connection) -> None:
    Campaign.objects.create(
        connection=connection,
        external_id="1",
        name="[b]Summer",
        status="active",
        platform_status="ACTIVE",
        raw={},
    )
    change = make_change(
        connection, field="daily_budget_micros", old=10_000_000, new=12_000_000, by="user 5f1c"
    )

    told = run("changes", "--last", "7d")

    for expected in ("[b]Summer", "10000000", "12000000", "user 5f1c", str(change.run_id)):
        assert expected in told


def test_the_newest_come_first_and_a_limit_cuts_the_rest(connection: Connection) -> None:
    for day in range(3):
        make_change(connection, external_id=str(day), seen_at=NOON + timedelta(days=day))

    assert found("--limit", "2") == ["2", "1"]
    assert "2026-11-05" in run("changes", "--limit", "1")


def test_what_is_known_but_never_changed_is_no_error(connection: Connection) -> None:
    Campaign.objects.create(
        connection=connection, external_id="7", name="Calm", status="active", platform_status="ACTIVE", raw={}
    )

    assert run("changes", "--id", "7") == "No changes.\n"
    assert run_json("changes", "--id", "7") == {"changes": []}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--since", "yesterday"], "'yesterday' is no time: write it as 2026-11-01"),
        (["--since", "2026-11-31"], "'2026-11-31' is no time"),
        (
            ["--since", "2026-11-05", "--until", "2026-11-01"],
            "--until: 2026-11-02 00:00 is not after --since",
        ),
        (["--since", "2099-01-01"], "--since: 2099-01-01 00:00 is yet to come"),
        (["--last", "week"], "'week' is no span: write 30m, 24h, 7d or 2w"),
        (["--last", "7d", "--since", "2026-11-01"], "--last: give it alone"),
        (["--field", "colour"], "invalid choice: 'colour'"),
        (["--entity", "keyword"], "invalid choice: 'keyword'"),
        (["--id", "404"], "--id: no campaign, ad group or ad '404' is known"),
        (["--run", "x"], "--run: there is no run 'x'"),
        (["--csv", "--json"], "--csv: give it or --json, not both"),
        (["--limit", "0"], "--limit: must be from 1"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else None,
)
def test_wrong_use_is_explained(db: None, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("changes", *arguments)


def test_csv_keeps_the_kinds_of_values_and_starts_no_formula(connection: Connection) -> None:
    Campaign.objects.create(
        connection=connection,
        external_id="1",
        name="=HYPERLINK()",
        status="active",
        platform_status="",
        raw={},
    )
    make_change(connection, old=None, new='=1+1 "x"')

    line = next(csv.DictReader(StringIO(run("changes", "--csv"))))

    assert tuple(line) == COLUMNS
    assert (line["old"], json.loads(line["new"]), line["name"]) == ("null", '=1+1 "x"', "'=HYPERLINK()")
    assert (line["currency"], line["connection"]) == ("EUR", connection.external_id)


def test_names_are_looked_up_by_the_batch(
    connection: Connection, django_assert_num_queries: DjangoAssertNumQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "BATCH", 2)
    for number in range(6):
        make_change(connection, external_id=str(number))

    with django_assert_num_queries(1 + 3):  # the changes, and each batch's campaigns
        told = json.loads("".join(as_json(Change.objects.all())))

    assert len(told["changes"]) == 6


def test_lines_are_sent_before_all_are_read(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "BATCH", 1)
    for _ in range(2):
        make_change(connection)
    sent = as_csv(Change.objects.order_by("pk"))
    heading, first = next(sent), next(sent)

    assert heading.startswith("seen_at,")
    assert str(timezone.now().year) in first
    sent.close()  # type: ignore[attr-defined]  # a generator


@pytest.mark.parametrize("form", ["csv", "json"])
def test_the_admin_exports_what_its_filters_find(
    admin_client: Client, account: Account, connection: Connection, form: str
) -> None:
    make_change(connection, external_id="wanted", entity="ad")
    make_change(connection, external_id="other")
    url = reverse("admin:sync_change_export", args=[form])

    page = admin_client.get(listing(Change, entity__exact="ad")).content.decode()
    response = admin_client.get(url, {"entity__exact": "ad"})
    body = b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]  # a stream

    assert f"{url}?entity__exact=ad" in page
    assert response["Content-Disposition"] == f'attachment; filename="changes.{form}"'
    assert "wanted" in body
    assert "other" not in body


def test_only_staff_exports_and_only_what_there_is(client: Client, admin_client: Client, alice: Any) -> None:
    url = reverse("admin:sync_change_export", args=["csv"])
    client.force_login(alice)

    assert client.get(url).status_code == 302
    assert admin_client.get(reverse("admin:sync_change_export", args=["pdf"])).status_code == 404
    assert admin_client.get(url, {"entity__exact": "ad", "connection__id__exact": "x"}).status_code in (
        404,
        400,
    )
