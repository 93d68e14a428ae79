"""A platform's metrics in memory: what is true, what it tells page by page, and what goes wrong meanwhile.

For what the sandbox's platforms can't be made to do at an exact moment; both real clients have tests against
those.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from providers.errors import CursorExpired, ReportPending, TooMuchData
from providers.records import InsightPage, InsightRecord, InsightSlice, Level
from sync.engine import execute as engine_execute
from sync.engine.platform import gate_for
from sync.models import Connection, Insight, SyncRun

Key = tuple[Level, date, str]


def record(day: date, external_id: str, *, clicks: int = 1, **fields: Any) -> InsightRecord:
    """A row with these figures."""
    return InsightRecord(
        **{
            "external_id": external_id,
            "day": day,
            "campaign_external_id": "",
            "ad_group_external_id": "",
            "currency": "EUR",
            "attribution": "click_date",
            "impressions": 10 * clicks,
            "clicks": clicks,
            "spend_micros": 1_000_000 * clicks,
            "conversions": Decimal("0.5"),
            "conversion_value_micros": 0,
            "conversions_by_type": {"purchase": {"count": "0.5", "value_micros": 0}},
            "reach": None,
            "video_views": None,
            "extra": {},
            **fields,
        }
    )


@dataclass
class Platform:
    """The truth, and how it is told."""

    truth: dict[Key, InsightRecord] = field(default_factory=dict)
    page_rows: int = 3
    too_many: int = 10**9  # rows of a slice that are refused
    pending: Callable[[InsightSlice], int] = lambda _: 0  # how often a slice is not ready yet
    before_page: Callable[[InsightSlice], None] = lambda _: None  # where a test lets something happen
    asked: list[InsightSlice] = field(default_factory=list)  # each start of a slice
    polls: list[str] = field(default_factory=list)  # reports that were asked after
    calls: int = 0
    _left: dict[str, int] = field(default_factory=dict)  # polls until a report is ready

    def tell(self, level: Level, day: date, external_id: str, **fields: Any) -> None:
        """Let a row be true."""
        self.truth[level, day, external_id] = record(day, external_id, **fields)

    def insights(
        self, slice: InsightSlice, *, attribution: str = "", cursor: str | None = None, expected_rows: int = 0
    ) -> Iterator[InsightPage]:
        """As a client does it. A cursor is `report:row`."""
        report, _, start = (cursor or ":0").partition(":")
        rows = self._rows(slice)
        if cursor is None:
            self.calls += 1
            self.asked.append(slice)
            if len(rows) > self.too_many * (2 if slice.in_halves else 1):
                raise TooMuchData("too much")
            if times := self.pending(slice):
                report = str(len(self.asked))
                self._left[report] = times
                raise ReportPending(f"{report}:0", retry_after=30, report_id=report)
        elif self._left.get(report, 0) > 0:
            self.calls += 1
            self.polls.append(report)
            self._left[report] -= 1
            if self._left[report]:
                raise ReportPending(cursor, retry_after=30, report_id=report)
        elif int(start) > len(rows):
            raise CursorExpired("gone")
        yield from self._pages(slice, rows, report, int(start))

    def narrower(self, slice: InsightSlice) -> list[InsightSlice]:
        """By halves of the campaigns, then by fields."""
        self.calls += 1
        ids = sorted({row.campaign_external_id for row in self._rows(slice)})
        if len(ids) > 1:
            parts = slice.campaigns.cut(ids[:: (len(ids) + 1) // 2])
            return [slice._replace(campaigns=part) for part in parts]
        return [] if slice.in_halves else [slice._replace(in_halves=True)]

    def _pages(
        self, slice: InsightSlice, rows: list[InsightRecord], report: str, start: int
    ) -> Iterator[InsightPage]:
        while True:
            self.calls += 1
            self.before_page(slice)
            page, start = rows[start : start + self.page_rows], start + self.page_rows
            is_last = start >= len(rows)
            yield InsightPage(page, None if is_last else f"{report}:{start}")
            if is_last:
                return

    def _rows(self, slice: InsightSlice) -> list[InsightRecord]:
        keys = [key for key in self.truth if key[0] == slice.level and slice.since <= key[1] <= slice.until]
        rows = [self.truth[key] for key in sorted(keys)]
        return [row for row in rows if slice.campaigns.has(row.campaign_external_id)]


def stored(connection: Connection) -> dict[Key, InsightRecord]:
    """What the table holds of a connection, as records."""
    found = Insight.objects.filter(connection=connection)
    return {
        (Level(row.level), row.day, row.external_id): InsightRecord(
            *(getattr(row, name) for name in InsightRecord._fields)
        )
        for row in found
    }


def use(platform: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all runs read this platform."""

    def opened(run: SyncRun) -> tuple[Platform, Any]:
        return platform, gate_for(run.connection, background=True)

    monkeypatch.setattr(engine_execute, "open_client", opened)


def days_ago(connection: Connection, days: int) -> date:
    """A day of the ad account."""
    return connection.day_of(timezone.now()) - timedelta(days=days)
