"""Runs that stop and go on: at a page, for a person, for a budget, after a death."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.utils import timezone

from providers.sandbox.process import Sandbox
from sync.engine import copy as engine_copy
from sync.engine.execute import execute
from sync.ledger.cancel import cancel
from sync.ledger.claim import claim
from sync.ledger.recover import take_back_lost
from sync.models import Account, Ad, Campaign, Connection, Queue, SyncRun
from sync.models.choices import DeferReason, Outcome, RunState, Trigger
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import BOTH, ask, make_due, small_pages, sync, work
from tests.platforms import assert_equal_to_platform, connect, platform  # noqa: F401  (fixtures)


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


@BOTH
def test_a_spent_budget_defers_the_run_which_goes_on_from_its_page(
    platform: Sandbox, account: Account, settings: Any, provider: str
) -> None:
    settings.CONNECTION_WINDOWS = {"meta": ((2, 600.0),), "google": ((2, 600.0),)}
    connection = connect(platform, account, provider)

    run = sync(connection)

    assert (run.state, run.defer_reason, run.failed_attempts) == ("deferred", DeferReason.BUDGET, 0)
    assert run.available_at is not None
    assert 590 < (run.available_at - timezone.now()).total_seconds() <= 600
    assert run.waiting_for == f"{connection.external_id} may make 2 calls in 600 s"
    assert (run.campaigns_count, run.ad_groups_count, run.ads_count) == (5, 20, 0)
    assert Campaign.objects.count() == 5

    settings.CONNECTION_WINDOWS = {"meta": (), "google": ()}
    make_due(run)
    work(connection)

    run.refresh_from_db()
    assert (run.state, run.ads_count, run.calls) == (RunState.SUCCEEDED, 120, 3)
    assert_equal_to_platform(platform, connection)


@BOTH
def test_an_edit_made_before_a_person_asks_arrives_though_the_run_had_read_past_it(
    platform: Sandbox, account: Account, settings: Any, provider: str
) -> None:
    settings.CONNECTION_WINDOWS = {"meta": ((2, 600.0),), "google": ((2, 600.0),)}
    settings.BUDGET_RESERVE = 0.0
    connection = connect(platform, account, provider)
    half_read = sync(connection, trigger=Trigger.SCHEDULED, source="beat")
    assert (half_read.state, half_read.campaigns_count) == ("deferred", 5)
    campaign = Campaign.objects.order_by("external_id")[0]
    where = {"platform": provider, "account": connection.external_id}
    platform.control("edit", **where, id=campaign.external_id, name="Edited meanwhile")

    settings.CONNECTION_WINDOWS = {"meta": (), "google": ()}
    run = sync(connection)

    assert (run, run.state) == (half_read, RunState.SUCCEEDED)
    assert_equal_to_platform(platform, connection)


@BOTH
def test_a_killed_worker_costs_one_page(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    small_pages(monkeypatch)
    connection = connect(platform, account, provider)
    run = ask(connection)
    claimed = claim(provider, "default", worker="doomed")
    assert claimed is not None
    commits = die_after(monkeypatch, pages=4)
    with pytest.raises(Killed):
        execute(claimed)
    monkeypatch.setattr(engine_copy, "_commit", commits)
    run.refresh_from_db()
    assert (run.state, run.checkpoint["stream"]) == (RunState.RUNNING, "ads")
    copied = Ad.objects.count()

    SyncRun.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    take_back_lost()
    work(connection)

    run.refresh_from_db()
    assert (run.state, run.failed_attempts) == (RunState.SUCCEEDED, 0)
    assert 0 < copied < 120 == run.ads_count
    assert [attempt.outcome for attempt in run.attempts.all()] == [Outcome.LOST, Outcome.SUCCEEDED]
    assert_equal_to_platform(platform, connection)


def die_after(monkeypatch: pytest.MonkeyPatch, *, pages: int) -> Any:
    """Let the process die when it wants to commit its next page."""
    commit, left = engine_copy._commit, [pages]

    def dying(*args: Any, **kwargs: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        commit(*args, **kwargs)

    monkeypatch.setattr(engine_copy, "_commit", dying)
    return commit


@BOTH
def test_a_late_worker_writes_nothing(platform: Sandbox, account: Account, provider: str) -> None:
    connection = connect(platform, account, provider)
    ask(connection)
    late = claim(provider, "default", worker="late")
    assert late is not None
    SyncRun.objects.update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    take_back_lost()
    owner = claim(provider, "default", worker="owner")
    assert owner is not None

    execute(late)

    owner.refresh_from_db()
    assert (owner.state, owner.worker) == (RunState.RUNNING, "owner")
    assert not Campaign.objects.exists()


def test_a_cancelled_run_stops_at_its_next_page(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pages(monkeypatch)
    connection = connect(platform, account, "meta")
    run = ask(connection)
    claimed = claim("meta", "default", worker="w")
    assert claimed is not None
    cancel(SyncRun.objects.filter(pk=run.pk), by="carol")

    execute(claimed)

    run.refresh_from_db()
    assert (run.state, run.campaigns_count, run.ads_count) == (RunState.CANCELLED, 5, 0)
    assert run.attempts.get().outcome == Outcome.CANCELLED


@pytest.mark.parametrize("are_small", [True, False], ids=["many pages", "a page per stream"])
def test_a_background_run_gives_way_to_a_person_at_its_next_page(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch, *, are_small: bool
) -> None:
    if are_small:
        small_pages(monkeypatch)
    background, urgent = connect(platform, account, "meta"), connect(platform, account, "meta")
    slow = ask(background, trigger=Trigger.SCHEDULED, source="beat")
    Queue.objects.update(concurrency=1)
    claimed = claim("meta", "default", worker="w")
    assert claimed is not None
    quick = ask(urgent)

    execute(claimed)

    slow.refresh_from_db()
    assert (slow.state, slow.defer_reason, slow.failed_attempts) == ("deferred", DeferReason.GAVE_WAY, 0)
    work(background)
    slow.refresh_from_db()
    quick.refresh_from_db()
    assert (slow.state, quick.state) == (RunState.SUCCEEDED, RunState.SUCCEEDED)
    assert slow.finished_at is not None
    assert quick.finished_at is not None
    assert quick.finished_at < slow.finished_at
    assert_equal_to_platform(platform, background)


def test_a_long_run_goes_back_to_the_queue_between_two_pages(
    platform: Sandbox, account: Account, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pages(monkeypatch)
    settings.TURN_SECONDS = 0
    connection = connect(platform, account, "meta")

    run = sync(connection)

    assert (run.state, run.failed_attempts, run.ads_count) == (RunState.SUCCEEDED, 0, 120)
    assert (
        run.attempts.filter(outcome=Outcome.DEFERRED).count() == 6
    )  # between the streams, and the five pages of ads
    assert_equal_to_platform(platform, connection)


def let_windows_pass() -> None:
    server = redis.Redis.from_url(django_settings.REDIS_URL)
    for key in server.scan_iter("adtiger:budget:*:calls:*"):
        server.delete(key)


def add_strangers(connection: Connection, *, ads: int) -> None:
    """Ads that the platform does not know."""
    words = {"connection": connection, "name": "Gone", "status": "active", "platform_status": "ACTIVE"}
    Ad.objects.bulk_create(Ad(external_id=str(number), raw={}, **words) for number in range(1, ads + 1))


def test_a_long_second_look_goes_on_where_the_budget_stopped_it(
    platform: Sandbox, account: Account, settings: Any
) -> None:
    connection = connect(platform, account, "meta")
    sync(connection)
    add_strangers(connection, ads=220)  # of which a call asks for 50
    settings.CONNECTION_WINDOWS = {"meta": ((4, 600.0),)}
    let_windows_pass()
    run = sync(connection)
    assert run.state == RunState.DEFERRED

    let_windows_pass()
    make_due(run)
    work(connection)

    run.refresh_from_db()
    assert (run.state, run.calls, run.changes) == (RunState.SUCCEEDED, 3 + 5, {"removed": 220})
    assert_equal_to_platform(platform, connection)


def test_a_cancelled_run_stops_in_its_second_look(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "meta")
    add_strangers(connection, ads=120)
    ask(connection)
    plan = {"began": timezone.now().isoformat()}
    SyncRun.objects.update(checkpoint={"plan": plan, "stream": "ads", "finished": "ads"})
    claimed = claim("meta", "default", worker="w")
    assert claimed is not None
    cancel(SyncRun.objects.all(), by="carol")

    execute(claimed)

    claimed.refresh_from_db()
    assert (claimed.state, claimed.calls) == (RunState.CANCELLED, 1)
    assert Ad.objects.exclude(removed_at=None).count() == 50
