"""The platform's own count of operations: real workers, a small day, and a budget store that forgets."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.utils import timezone

from providers.sandbox.process import Sandbox
from sync.ledger.request import request_sync
from sync.models import OperationCount, SyncRun
from sync.models.choices import RunState, Trigger
from sync.schedule.tick import tick
from tests.factories import make_account
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.platforms import addresses, assert_equal_to_platform, connect
from tests.processes import eventually, worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

LIMIT = 13  # four syncs of three operations, and one that starts
REASON = "Google's project may make 13 operations in 24 hours"


@pytest.fixture
def small_day(sandbox: Sandbox, settings: Any) -> Any:
    """A project that Google itself refuses the 14th operation."""
    settings.CONCURRENCY = {"meta": 2, "google": 3}
    settings.GOOGLE_CLIENT_ID = addresses(sandbox)["GOOGLE_CLIENT_ID"]
    sandbox.control("limits", platform="google", project=[[LIMIT, 86_400]])
    yield sandbox
    sandbox.control("limits", platform="google", project=[])


def test_three_workers_use_the_day_to_its_limit_and_not_beyond(small_day: Sandbox, tmp_path: Path) -> None:
    connections = [connect(small_day, make_account(name), "google") for name in "abcdef"]
    store = redis.Redis.from_url(django_settings.REDIS_URL)
    environment = {
        **addresses(small_day),
        "GOOGLE_CONNECTION_WINDOWS": "100000/60",
        "GOOGLE_DAILY_OPERATIONS": str(LIMIT),
    }

    def succeeded() -> int:
        tick()
        return SyncRun.objects.filter(state=RunState.SUCCEEDED).count()

    def none_is_due() -> bool:
        tick()
        soon = timezone.now() + timedelta(minutes=1)
        held = SyncRun.objects.filter(state=RunState.DEFERRED, available_at__gt=soon)
        return held.count() + succeeded() == len(connections)

    with (
        worker(tmp_path / "1.log", environment, queues="sync.google"),
        worker(tmp_path / "2.log", environment, queues="sync.google"),
        worker(tmp_path / "3.log", environment, queues="sync.google"),
    ):
        for connection in connections:
            request_sync(connection.account, [connection], trigger=Trigger.MANUAL, source="api")
        eventually(lambda: succeeded() >= 2, seconds=60, what="two syncs")
        store.flushdb()
        eventually(none_is_due, seconds=60, what="an end, or a wait until tomorrow")

    told = small_day.calls(platform="google")
    project = told["subjects"]["google/project"]
    assert (project["calls"], project["refused"], told["exceeded"]) == (LIMIT, 0, [])
    assert project["windows"][0]["highest"] == LIMIT
    assert sum(OperationCount.objects.filter(subject="").values_list("calls", flat=True)) == LIMIT
    waiting = SyncRun.objects.filter(state=RunState.DEFERRED)
    assert {run.waiting_for for run in waiting} == {REASON}
    assert {run.failed_attempts for run in waiting} == {0}
    for run in SyncRun.objects.filter(state=RunState.SUCCEEDED):
        assert_equal_to_platform(small_day, run.connection)
