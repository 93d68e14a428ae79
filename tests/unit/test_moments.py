"""Moments in sentences."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from sync import moments

NOW = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)
TOKYO = timezone(timedelta(hours=9))


@pytest.mark.parametrize(
    ("at", "words"),
    [
        (NOW + timedelta(minutes=29), "23:59:00 UTC"),
        (NOW + timedelta(minutes=30), "2026-11-26 00:00:00 UTC"),
        (NOW + timedelta(hours=23), "2026-11-26 22:30:00 UTC"),
        (NOW - timedelta(hours=23), "00:30:00 UTC"),
        (NOW.astimezone(TOKYO), "23:30:00 UTC"),
    ],
)
def test_a_moment_is_told_with_its_day_unless_that_is_today(
    monkeypatch: pytest.MonkeyPatch, at: datetime, words: str
) -> None:
    monkeypatch.setattr("sync.moments.timezone.now", lambda: NOW)

    assert moments.told(at) == words
