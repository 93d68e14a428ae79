"""A run from claim to end, against both platforms' sandbox: what arrives, and what every fault leads to."""

from datetime import timedelta
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import transaction
from django.utils import timezone

from providers.errors import LimitReached, Scope
from providers.sandbox.process import Sandbox
from sync.engine import copy as engine_copy
from sync.engine.drain import drain
from sync.engine.execute import execute
from sync.ledger.cancel import cancel
from sync.ledger.claim import claim
from sync.ledger.recover import take_back_lost
from sync.ledger.request import request_sync
from sync.models import Account, Ad, AdGroup, Campaign, Change, Connection, Queue, SeenIds, SyncRun
from sync.models.choices import CredentialStatus, DeferReason, Outcome, RunState, Trigger
from tests.factories import make_connection
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401
from tests.platforms import assert_equal_to_platform, connect, platform  # noqa: F401

BOTH = pytest.mark.parametrize("provider", ["meta", "google"])


def ask(connection: Connection, **options: Any) -> SyncRun:
    options = {"trigger": Trigger.MANUAL, "source": "api", **options}
    return request_sync(connection.account, [connection], **options).runs[0]


def sync(connection: Connection, **options: Any) -> SyncRun:
    """Ask for a sync and let a worker's loop do what is due."""
    run = ask(connection, **options)
    work(connection)
    run.refresh_from_db()
    return run


def work(connection: Connection) -> int:
    return drain(connection.provider, connection.region, worker="test")


def make_due(run: SyncRun) -> None:
    SyncRun.objects.filter(pk=run.pk, state=RunState.DEFERRED).update(available_at=timezone.now())


def row_versions() -> list[Any]:
    return [
        list(
            model.objects.extra(select={"v": "xmin::text || ctid::text"})
            .order_by("pk")
            .values_list("pk", "v")
        )
        for model in (Campaign, AdGroup, Ad)
    ]


@BOTH
def test_a_first_sync_copies_the_whole_account(platform: Sandbox, account: Account, provider: str) -> None:
    connection = connect(platform, account, provider)

    run = sync(connection)

    connection.refresh_from_db()
    assert (run.state, run.progress) == (RunState.SUCCEEDED, 100)
    assert (run.campaigns_count, run.ad_groups_count, run.ads_count) == (5, 20, 120)
    assert run.calls == run.attempts.get().calls == 3
    assert connection.last_full_sync_at is not None
    assert_equal_to_platform(platform, connection)
    assert not Change.objects.exists()  # all is new: nothing changed
    assert not SeenIds.objects.exists()


@BOTH
def test_a_second_sync_without_edits_writes_no_row(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    sync(connection)
    before = row_versions()

    run = sync(connection)

    assert (run.state, run.changes) == (RunState.SUCCEEDED, {})
    assert row_versions() == before


@BOTH
def test_edits_arrive_with_the_next_sync_as_changes(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    sync(connection)
    ad = Ad.objects.order_by("external_id")[0]
    where = {"platform": provider, "account": connection.external_id}
    platform.control("edit", **where, id=ad.external_id, name="Edited")
    platform.control("create", **where, kind="campaigns", name="Brand new")

    run = sync(connection)

    assert_equal_to_platform(platform, connection)
    told = {
        (change.entity, change.action, change.field, change.old, change.new)
        for change in Change.objects.all()
    }
    assert ("ad", "updated", "name", ad.name, "Edited") in told
    assert ("campaign", "created", "", None, None) in told
    assert {change.run_id for change in Change.objects.all()} == {run.pk}
    assert run.changes["created"] == 1


@BOTH
def test_what_is_gone_is_marked_and_returns(platform: Sandbox, account: Account, provider: str) -> None:
    connection = connect(platform, account, provider)
    sync(connection)
    ad = Ad.objects.order_by("external_id")[3]
    where = {"platform": provider, "account": connection.external_id, "id": ad.external_id}
    platform.control("remove", **where, vanish=True)

    run = sync(connection)

    ad.refresh_from_db()
    assert ad.removed_at is not None
    assert run.changes == {"removed": 1}
    assert_equal_to_platform(platform, connection)

    platform.control("return", **where)
    run = sync(connection)

    ad.refresh_from_db()
    assert ad.removed_at is None
    assert run.changes == {"returned": 1}


def test_a_row_that_a_page_hid_is_not_marked_removed(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "meta")
    sync(connection)
    platform.fault("meta", "hide_rows", account=connection.external_id, endpoint="ads", rows=5)

    run = sync(connection)

    assert (run.state, run.changes, run.ads_count) == (RunState.SUCCEEDED, {}, 115)
    assert not Ad.objects.exclude(removed_at=None).exists()


@BOTH
def test_a_choice_of_campaigns_is_read_alone_and_marks_nothing(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    sync(connection)
    chosen = AdGroup.objects.order_by("pk")[0].campaign_external_id

    run = sync(connection, campaign_ids=[chosen])

    assert (run.state, run.campaigns_count) == (RunState.SUCCEEDED, 1)
    assert run.ads_count == Ad.objects.filter(campaign_external_id=chosen).count() < 120
    assert not Ad.objects.exclude(removed_at=None).exists()


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
def test_the_platforms_own_limit_defers_and_parks_the_ad_account(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    platform.fault(provider, "rate_limit", account=connection.external_id)

    run = sync(connection)

    assert (run.state, run.defer_reason, run.failed_attempts) == ("deferred", DeferReason.BUDGET, 0)
    assert run.attempts.get().outcome == Outcome.DEFERRED

    calls = run.calls
    make_due(run)
    work(connection)
    run.refresh_from_db()
    assert (run.state, run.calls) == ("deferred", calls)  # still parked: nothing was called


@BOTH
@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("server_error", "UNKNOWN"),
        ("html", "NETWORK_ERROR"),
        ("cut", "NETWORK_ERROR"),
        ("truncated", "NETWORK_ERROR"),
    ],
)
def test_a_passing_fault_is_retried(
    platform: Sandbox, account: Account, provider: str, kind: str, category: str
) -> None:
    connection = connect(platform, account, provider)
    platform.fault(provider, kind, account=connection.external_id, after_calls=1)

    run = sync(connection)

    assert (run.state, run.defer_reason, run.failed_attempts) == ("deferred", DeferReason.RETRY, 1)
    assert (run.error_category, run.attempts.get().outcome) == (category, Outcome.FAILED)

    make_due(run)
    work(connection)

    run.refresh_from_db()
    assert (run.state, run.error_category) == (RunState.SUCCEEDED, "")
    assert_equal_to_platform(platform, connection)


@BOTH
def test_a_lasting_fault_ends_as_a_dead_letter_with_its_cause(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    passing = {"code": 2, "family": "internal", "name": "INTERNAL_ERROR", "status": 400}  # no outage
    platform.fault(provider, "platform_error", account=connection.external_id, times=9, **passing)

    run = sync(connection)
    for _ in range(2):
        make_due(run)
        work(connection)

    run.refresh_from_db()
    assert (run.state, run.failed_attempts, run.error_code) == (RunState.FAILED, 3, "platform_fault")
    assert run.attempts.count() == 3


@BOTH
def test_a_revoked_grant_holds_the_run_until_the_user_reconnects(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    platform.control("tokens/revoke", platform=provider, token=connection.credential.secret)

    run = sync(connection)

    connection.credential.refresh_from_db()
    assert connection.credential.status == CredentialStatus.RECONNECT_NEEDED
    assert connection.credential.lost_at is not None
    assert (run.state, run.failed_attempts) == (RunState.QUEUED, 0)
    assert claim(provider, "default", worker="w") is None

    connection.credential.secret = platform.control("tokens", platform=provider)["token"]
    connection.credential.status = CredentialStatus.ACTIVE
    connection.credential.access_token_expires_at = None
    connection.credential.save()
    work(connection)

    run.refresh_from_db()
    assert run.state == RunState.SUCCEEDED


def test_an_expired_access_token_of_google_is_renewed_on_the_way(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "google")
    platform.fault("google", "token_expired", account=connection.external_id, after_calls=1)

    run = sync(connection)

    assert (run.state, run.failed_attempts) == (RunState.SUCCEEDED, 0)


@BOTH
def test_one_bad_ad_account_does_not_stop_its_neighbour(
    platform: Sandbox, account: Account, provider: str
) -> None:
    bad = connect(platform, account, provider)
    good = connect(platform, account, provider)
    platform.fault(provider, "access_denied", account=bad.external_id)
    denied = ask(bad)

    run = sync(good)

    denied.refresh_from_db()
    bad.refresh_from_db()
    assert (denied.state, denied.error_category) == (RunState.FAILED, "API_ERROR")
    assert bad.status == "access_denied"
    assert run.state == RunState.SUCCEEDED


def test_meta_asking_for_less_data_gets_smaller_pages(platform: Sandbox, account: Account) -> None:
    connection = connect(platform, account, "meta")
    platform.fault("meta", "too_much_data", account=connection.external_id, endpoint="ads", rows=100)

    run = sync(connection)

    assert run.state == RunState.SUCCEEDED
    assert run.calls == 3 + 3 + 1  # 500, 250 and 125 are refused, 62 is not: two pages
    assert_equal_to_platform(platform, connection)


def small_pages(monkeypatch: pytest.MonkeyPatch, rows: int = 25) -> None:
    monkeypatch.setattr("providers.meta.client.MetaClient.__init__.__kwdefaults__", {"page_size": rows})
    monkeypatch.setattr("providers.google.client.GoogleClient.__init__.__kwdefaults__", {"page_size": rows})


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


class Killed(BaseException):
    """Nothing catches it, as nothing catches a kill."""


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
    SyncRun.objects.update(checkpoint={"stream": "ads", "finished": "ads"})
    claimed = claim("meta", "default", worker="w")
    assert claimed is not None
    cancel(SyncRun.objects.all(), by="carol")

    execute(claimed)

    claimed.refresh_from_db()
    assert (claimed.state, claimed.calls) == (RunState.CANCELLED, 1)
    assert Ad.objects.exclude(removed_at=None).count() == 50


@BOTH
def test_a_run_with_an_old_grant_does_not_condemn_the_one_that_replaced_it(
    platform: Sandbox, account: Account, provider: str
) -> None:
    connection = connect(platform, account, provider)
    run = ask(connection)
    claimed = claim(provider, "default", worker="w")
    assert claimed is not None
    platform.control("tokens/revoke", platform=provider, token=connection.credential.secret)
    connection.credential.secret = platform.control("tokens", platform=provider)["token"]
    connection.credential.save()

    execute(claimed)
    work(connection)

    run.refresh_from_db()
    connection.credential.refresh_from_db()
    assert (run.state, run.failed_attempts) == (RunState.SUCCEEDED, 0)
    assert connection.credential.status == CredentialStatus.ACTIVE


def test_a_run_with_an_old_grant_does_not_close_a_connection_with_a_new_one(
    platform: Sandbox, account: Account
) -> None:
    connection = connect(platform, account, "meta")
    ask(connection)
    claimed = claim("meta", "default", worker="w")
    assert claimed is not None
    assert claimed.connection.credential.secret  # the run has read its grant
    platform.fault("meta", "access_denied", account=connection.external_id)
    connection.credential.secret = platform.control("tokens", platform="meta")["token"]
    connection.credential.save()

    execute(claimed)

    connection.refresh_from_db()
    assert connection.status == "active"


@pytest.mark.parametrize("seconds", [1e12, float("inf")])
def test_no_figure_of_the_platform_defers_a_run_for_more_than_a_day(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    def limited(*_: Any) -> None:
        raise LimitReached("no more for now", retry_after=seconds, scope=Scope.AD_ACCOUNT)

    monkeypatch.setattr("sync.engine.execute.copy", limited)

    run = sync(connect(platform, account, "meta"))

    assert run.state == RunState.DEFERRED
    assert run.available_at is not None
    assert run.available_at <= timezone.now() + timedelta(days=1)


def test_a_forgotten_cursor_reads_the_stream_again(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pages(monkeypatch)
    connection = connect(platform, account, "meta")
    platform.fault("meta", "expired_cursor", account=connection.external_id)

    run = sync(connection)
    assert (run.state, run.checkpoint, run.ads_count) == ("deferred", {"stream": "ads"}, 0)
    make_due(run)
    work(connection)

    run.refresh_from_db()
    assert (run.state, run.ads_count) == (RunState.SUCCEEDED, 120)
    assert_equal_to_platform(platform, connection)


def test_a_defect_of_ours_leaves_the_run_in_a_state_without_its_text(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(platform, account, "meta")

    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("secret-token")

    monkeypatch.setattr(engine_copy, "_commit", broken)
    run = sync(connection)

    assert (run.state, run.error_code) == ("deferred", "defect")
    assert "secret" not in run.error_message
    assert "KeyError" in run.error_message


def test_data_that_the_database_refuses_ends_as_a_dead_letter(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(platform, account, "meta")
    monkeypatch.setattr(engine_copy, "merge", lambda *_, **__: Campaign.objects.create(external_id="9" * 99))

    run = sync(connection)
    for _ in range(2):
        make_due(run)
        work(connection)

    run.refresh_from_db()
    assert (run.state, run.error_code, run.failed_attempts) == (RunState.FAILED, "defect", 3)


def test_a_missing_key_is_told_at_once(platform: Sandbox, account: Account, settings: Any) -> None:
    connection = connect(platform, account, "meta")
    ask(connection)
    settings.CREDENTIAL_KEYS = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

    work(connection)

    run = SyncRun.objects.get()
    assert (run.state, run.error_code) == (RunState.FAILED, "misconfigured")
    assert "CREDENTIAL_KEYS" in run.error_message


def test_the_recorded_meta_account_arrives_version_by_version(platform: Sandbox, account: Account) -> None:
    from providers.sandbox.constants import META_TOKEN, RECORDED_META_ACCOUNT

    external_id = f"act_{RECORDED_META_ACCOUNT}"
    connection = make_connection(account, external_id=external_id, currency="USD")
    connection.credential.secret = META_TOKEN
    connection.credential.save()
    sync(connection)
    with transaction.atomic():
        assert_equal_to_platform(platform, connection)

    applied = platform.control("history", platform="meta", account=RECORDED_META_ACCOUNT, steps="all")[
        "applied"
    ]
    sync(connection)

    assert applied > 0
    assert_equal_to_platform(platform, connection)
