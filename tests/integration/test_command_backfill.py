"""`manage.py backfill`: metrics of the past, and which days are there."""

import io
import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from providers.records import Level
from sync.models import Account, Connection, InsightDay, SyncRun
from sync.models.choices import Kind, Priority, RunState, Trigger
from tests.factories import make_connection, make_run, noon
from tests.integration.insight_platform import Platform, days_ago, use
from tests.integration.syncing import work


def run(*arguments: str) -> str:
    out = io.StringIO()
    call_command("backfill", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def run_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


@pytest.fixture
def connection(account: Account) -> Connection:
    return make_connection(account, "google", external_id="1234567890", time_zone=noon())


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Platform:
    platform = Platform()
    use(platform, monkeypatch)
    return platform


def note(connection: Connection, day: date, *, level: str = "ad", **columns: Any) -> None:
    told = {"rows": 3, "read_at": timezone.now(), "attribution": "click_date", "run_id": connection.pk}
    InsightDay.objects.create(connection=connection, level=level, day=day, **{**told, **columns})


def test_it_is_scheduled_work_of_the_days_and_levels_that_are_named(connection: Connection) -> None:
    since, until = days_ago(connection, 400), days_ago(connection, 100)

    out = run("--connection", "123-456-7890", "--from", str(since), "--to", str(until), "--level", "ad")

    made = SyncRun.objects.get()
    assert (made.kind, made.trigger, made.priority) == (Kind.INSIGHTS, Trigger.MANUAL, Priority.SCHEDULED)
    assert (made.date_from, made.date_to, made.levels) == (since, until, ["ad"])
    assert f"insights ({since} to {until}, ad): queued, run {made.pk}" in out


def test_a_persons_sync_starts_before_a_backfill_and_gets_a_run_of_its_own(connection: Connection) -> None:
    run("--connection", str(connection.pk), "--from", str(days_ago(connection, 90)))

    call_command("sync", "--connection", str(connection.pk), stdout=io.StringIO())

    runs = SyncRun.objects.filter(kind=Kind.INSIGHTS).order_by("priority")
    assert [(one.priority, bool(one.date_from)) for one in runs] == [(1, False), (5, True)]


def test_asked_for_again_it_is_joined_and_more_of_it_is_one_run(connection: Connection) -> None:
    since = days_ago(connection, 90)
    first = run_json("--connection", str(connection.pk), "--from", str(since))["runs"]

    again = run_json("--connection", str(connection.pk), "--from", str(since))["runs"]
    more = run_json("--connection", str(connection.pk), "--from", str(since - timedelta(days=30)))["runs"]

    assert [one["already_syncing"] for one in (*first, *again, *more)] == [False, True, False]
    assert len({one["id"] for one in (*first, *again, *more)}) == 1
    assert SyncRun.objects.get().date_from == since - timedelta(days=30)


def test_it_goes_on_with_what_is_missing_and_reads_final_days_only_when_told_to(
    connection: Connection, platform: Platform
) -> None:
    since, until = days_ago(connection, 60), days_ago(connection, 50)
    for age in range(50, 56):
        note(connection, days_ago(connection, age), is_final=True)
    arguments = (
        "--connection",
        str(connection.pk),
        "--from",
        str(since),
        "--to",
        str(until),
        "--level",
        "ad",
    )

    run(*arguments)
    work(connection)
    assert [(slice.since, slice.until) for slice in platform.asked] == [(since, days_ago(connection, 56))]

    platform.asked.clear()
    run(*arguments, "--again")
    work(connection)
    assert [(slice.since, slice.until) for slice in platform.asked] == [(since, until)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Say of what"),
        (("--provider", "google"), "--from: say from which day on"),
        (("--connection", "999", "--from", "{today}"), "--connection: there is no '999'"),
        (
            ("--connection", "{id}", "--provider", "meta", "--from", "{today}"),
            "no --account or --provider that it is not of",
        ),
        (("--connection", "{id}", "--from", "2026-02-30"), "is no day"),
        (("--connection", "{id}", "--from", "{today}", "--to", "{yesterday}"), "is before --from"),
        (("--connection", "{id}", "--from", "{yesterday}", "--to", "{far}"), "is yet to come"),
        (("--connection", "{id}", "--from", "{far}"), "--from: {far} is yet to come"),
        (("--connection", "{id}", "--from", "{old}"), "37 months"),
        (("--connection", "{id}", "--status", "--from", "{far}"), "--from: {far} is yet to come"),
        (("--connection", "{id}", "--status", "--to", "9999-12-31"), "--to: 9999-12-31 is yet to come"),
        (("--connection", "{id}", "--status", "--from", "0001-01-01"), "37 months"),
        (("--connection", "{id}", "--from", "{today}", "--level", "keyword"), "invalid choice: 'keyword'"),
        (("--connection", "{id}", "--status", "--wait"), "--status reads nothing"),
        (("--connection", "{id}", "--from", "{today}", "--timeout", "3"), "--timeout ends the waiting"),
    ],
)
def test_what_can_not_be_meant_is_told(
    connection: Connection, arguments: tuple[str, ...], message: str
) -> None:
    names = {
        "id": connection.pk,
        "today": days_ago(connection, 0),
        "yesterday": days_ago(connection, 1),
        "far": days_ago(connection, -3),
        "old": days_ago(connection, 37 * 31),
    }

    with pytest.raises(CommandError, match=message.format(**names)):
        run(*(one.format(**names) for one in arguments))

    assert not SyncRun.objects.exists()


def test_without_a_last_day_it_is_the_day_that_has_begun_in_the_ad_account(connection: Connection) -> None:
    Connection.objects.update(time_zone="Pacific/Kiritimati")
    connection.refresh_from_db()
    today = connection.day_of(timezone.now())

    run("--connection", str(connection.pk), "--from", str(today))

    asked = SyncRun.objects.get()
    assert (asked.date_from, asked.date_to) == (today, today)


def test_status_tells_gaps_by_level(connection: Connection) -> None:
    for age in (1, 2, 5, 9):
        note(connection, days_ago(connection, age), is_final=age > 4)
    note(connection, days_ago(connection, 4), attribution="conversion_date")  # of another rule: missing

    (told,) = run_json("--connection", str(connection.pk), "--status")["connections"]

    levels = {one["level"]: one for one in told["levels"]}
    assert list(levels) == list(Level)
    day = {age: str(days_ago(connection, age)) for age in range(10)}
    assert levels["ad"] == {
        "level": "ad",
        "since": day[9],
        "until": day[0],
        "complete": 4,
        "final": 2,
        "missing": 6,
        "rows": 12,
        "gaps": [
            {"from": day[0], "to": day[0]},
            {"from": day[4], "to": day[3]},
            {"from": day[8], "to": day[6]},
        ],
    }
    assert levels["campaign"]["missing"] == 10
    assert not SyncRun.objects.exists()


def test_status_tells_what_another_rule_has_to_read_again(connection: Connection) -> None:
    for age in range(5):
        note(connection, days_ago(connection, age), attribution="conversion_date")

    (told,) = run_json("--connection", str(connection.pk), "--status")["connections"]

    assert [one["missing"] for one in told["levels"]] == [5] * len(Level)


def test_status_of_a_range_is_a_table_for_people(connection: Connection) -> None:
    note(connection, days_ago(connection, 1))

    out = run("--connection", str(connection.pk), "--status", "--from", str(days_ago(connection, 2)))

    assert f"{days_ago(connection, 2)}, " not in out
    assert str(days_ago(connection, 2)) in out
    assert "campaign" in out


def test_waiting_follows_it_to_its_end(connection: Connection, platform: Platform) -> None:
    make_run(connection, kind=Kind.INSIGHTS, state=RunState.SUCCEEDED)
    since = days_ago(connection, 3)

    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command(
            *("backfill", "--connection", str(connection.pk), "--from", str(since)),
            *("--wait", "--timeout", "0.01"),
            stdout=out,
            stderr=out,
        )

    assert "the syncs go on" in out.getvalue()
