"""`manage.py workers`: who is at work, on what."""

import io
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from sync import alive
from sync.ledger.claim import claim
from sync.models import Account, Connection, Pulse
from tests.commands import run_json
from tests.factories import make_connection, make_run
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import connect, platform  # noqa: F401  (fixtures)


def test_workers_tells_who_is_at_work_and_fails_when_a_queue_is_served_by_nobody(
    connection: Connection,
) -> None:
    make_run(connection)
    alive.record("w1@host", started_at=timezone.now(), queues=("sync.meta",), concurrency=2)
    claim("meta", "default", worker="w1@host")
    out = io.StringIO()

    with pytest.raises(SystemExit):
        call_command("workers", stdout=out)

    assert f"{connection.external_id} 0 %, started 0 s ago" in out.getvalue()
    assert "Nobody serves maintenance: start `manage.py worker maintenance`" in out.getvalue()
    assert "Nobody serves sync.meta" not in out.getvalue()

    alive.record("w2@host", started_at=timezone.now(), queues=("maintenance",), concurrency=1)
    alive.record_tick()
    told = run_json("workers")
    assert told["unserved"] == []
    assert [(queue["queue"], queue["workers"]) for queue in told["queues"]] == [
        ("maintenance", 1),
        ("sync.meta", 1),
    ]
    assert [one["alive"] for one in told["workers"]] == [True, True]
    assert told["workers"][0]["runs"][0]["since"].endswith("Z")


def test_workers_tells_how_to_serve_a_queue_of_another_region(account: Account) -> None:
    make_run(make_connection(account, "google", region="eu"))
    out = io.StringIO()

    with pytest.raises(SystemExit) as caught:
        call_command("workers", stdout=out)

    assert caught.value.code == 1
    assert "Nobody serves sync.google.eu: start `manage.py worker google --region eu`." in out.getvalue()


def test_a_silent_worker_is_shown_as_silent(db: None) -> None:
    alive.record("w1@host", started_at=timezone.now(), queues=("maintenance",), concurrency=2)
    Pulse.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    out = io.StringIO()

    with pytest.raises(SystemExit):
        call_command("workers", stdout=out)

    assert "SILENT" in out.getvalue()
