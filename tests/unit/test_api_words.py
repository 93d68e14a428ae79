"""The contract's words for our states, as tables."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.api.words import (
    Status,
    health_together,
    length,
    percent,
    retries,
    seconds,
    status,
    status_together,
    sync_type,
)
from sync.models import SyncRun
from sync.models.choices import Health, Mode, RunState, Trigger

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "failed_attempts", "records", "expected"),
    [
        (RunState.QUEUED, 0, 0, ("pending", "HEALTHY", 0)),
        (RunState.DEFERRED, 0, 5, ("pending", "HEALTHY", 0)),
        (RunState.DEFERRED, 2, 0, ("pending", "PARTIAL", 2)),
        (RunState.RUNNING, 0, 0, ("running", "HEALTHY", 0)),
        (RunState.RUNNING, 1, 0, ("running", "PARTIAL", 1)),
        (RunState.SUCCEEDED, 2, 5, ("SUCCESS", "HEALTHY", 2)),
        (RunState.SUCCEEDED, 0, 0, ("SUCCESS", "HEALTHY", 0)),
        (RunState.FAILED, 3, 0, ("FAILED", "UNHEALTHY", 2)),
        (RunState.FAILED, 1, 5, ("FAILED", "PARTIAL", 0)),
        (RunState.FAILED, 0, 0, ("FAILED", "UNHEALTHY", 0)),  # its worker was lost, again and again
        (RunState.CANCELLED, 1, 0, ("CANCELLED", "PARTIAL", 1)),
    ],
)
def test_each_state_has_its_words(
    state: RunState, failed_attempts: int, records: int, expected: tuple[str, str, int]
) -> None:
    run = SyncRun(state=state, failed_attempts=failed_attempts, ads_count=records)

    assert (status(run), run.health, retries(run)) == expected


def test_every_state_has_a_word() -> None:
    assert {status(SyncRun(state=state)) for state in RunState} == set(Status)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("trigger", list(Trigger))
def test_what_a_person_asked_for_is_manual_whatever_it_reads(trigger: Trigger, mode: Mode) -> None:
    expected = "MANUAL" if trigger == Trigger.MANUAL else mode.upper()

    assert sync_type(SyncRun(trigger=trigger, mode=mode)) == expected


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ({Status.SUCCESS}, Status.SUCCESS),
        ({Status.SUCCESS, Status.CANCELLED}, Status.CANCELLED),
        ({Status.SUCCESS, Status.CANCELLED, Status.FAILED}, Status.FAILED),
        ({Status.FAILED, Status.PENDING}, Status.PENDING),
        ({Status.PENDING, Status.RUNNING, Status.FAILED}, Status.RUNNING),
    ],
)
def test_several_statuses_are_told_as_one(statuses: set[Status], expected: Status) -> None:
    assert status_together(statuses) == expected


def test_healths_that_differ_are_partial() -> None:
    assert health_together([Health.UNHEALTHY, Health.UNHEALTHY]) == Health.UNHEALTHY
    assert health_together([Health.HEALTHY, Health.UNHEALTHY]) == Health.PARTIAL


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (NOON, NOON + timedelta(seconds=90.4), 90),
        (NOON, NOON + timedelta(milliseconds=400), 0),
        (NOON, None, None),
        (None, NOON, None),
    ],
)
def test_durations_are_whole_seconds(
    start: datetime | None, end: datetime | None, expected: int | None
) -> None:
    assert seconds(start, end) == expected


@pytest.mark.parametrize(
    ("total", "expected"),
    [(0, "0s"), (59.4, "59s"), (59.6, "1m 0s"), (85, "1m 25s"), (3600, "1h 0m"), (7325, "2h 2m")],
)
def test_lengths_are_written_for_people(total: float, expected: str) -> None:
    assert length(total) == expected


@pytest.mark.parametrize(
    ("part", "whole", "expected"), [(49, 50, "98.0%"), (2, 3, "66.7%"), (0, 0, "100.0%")]
)
def test_rates_have_one_decimal(part: int, whole: int, expected: str) -> None:
    assert percent(part, whole) == expected


@pytest.mark.parametrize(
    ("checkpoint", "expected", "counts", "progress"),
    [
        ({}, {}, {}, 0),
        ({"stream": "campaigns", "cursor": "c"}, {}, {"campaigns_count": 5}, 0),
        ({"stream": "campaigns", "cursor": "c"}, {"campaigns": 10}, {"campaigns_count": 5}, 16),
        ({"stream": "ad_groups"}, {"campaigns": 10}, {"campaigns_count": 10}, 33),
        ({"stream": "ads", "cursor": "c"}, {"ads": 200}, {"ads_count": 50}, 75),
        ({"stream": "ads", "cursor": "c"}, {"ads": 200}, {"ads_count": 500}, 99),
        ({"stream": "ads", "finished": "ads"}, {"ads": 200}, {"ads_count": 200}, 99),
    ],
)
def test_progress_grows_stream_by_stream_and_ends_with_success(
    checkpoint: dict[str, str], expected: dict[str, int], counts: dict[str, int], progress: int
) -> None:
    run = SyncRun(state=RunState.RUNNING, checkpoint=checkpoint, expected=expected, **counts)

    assert run.progress == progress
    run.state = RunState.SUCCEEDED
    assert run.progress == 100
