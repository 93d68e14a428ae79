"""A run's work survives its checkpoint, in few words, and no report is looked at before its time."""

from datetime import UTC, date, datetime

import orjson
import pytest

from providers.records import Ids, InsightSlice, Level
from sync.engine.insights.slices import as_text, of_text
from sync.engine.insights.work import Begun, Work

DAY = InsightSlice(Level.AD, date(2026, 11, 1), date(2026, 11, 1))
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "slice",
    [
        InsightSlice(Level.AD_GROUP, date(2026, 10, 1), date(2026, 10, 31)),
        DAY._replace(campaigns=Ids("", "15")),
        DAY._replace(campaigns=Ids("15", "16"), ad_groups=Ids("7", ""), in_halves=True),
    ],
)
def test_a_slice_is_read_back_as_it_was(slice: InsightSlice) -> None:
    assert of_text(as_text(slice)) == slice


def test_work_is_read_back_as_it_was() -> None:
    work = Work.planning([DAY], {Level.AD: 100}, "7d_click")
    begun = work.begin(DAY, NOW, may_vanish=True)
    work.split(begun, [DAY._replace(campaigns=part) for part in Ids().cut(["1", "2", "3"])])
    work.begin(work.todo[0], datetime.now(UTC), may_vanish=True)

    stored = orjson.dumps(work.as_checkpoint(), option=orjson.OPT_NON_STR_KEYS)
    again = Work.of(orjson.loads(stored), "7d_click")

    assert again is not None
    assert again == work
    assert [one.began_at for one in again.begun] == [NOW]
    assert [again.expected(slice) for slice in again.left] == [33, 33, 33]
    assert Work.of(work.as_checkpoint(), "1d_click") is None


def test_a_report_is_looked_at_in_its_time_or_when_it_is_told_of() -> None:
    begun = [Begun(DAY, NOW, may_vanish=False, report_id=one, ready_at=float(one)) for one in ("100", "104")]
    work = Work({}, 0, [], "", begun)

    assert work.readable(98.0) is None
    assert work.next_look == 100.0
    assert work.readable(100.0) == begun[0]
    begun[0].ready_at = 110.0
    assert work.readable(102.0) is None  # the other one has its own time
    work.ask_for(["104"])
    assert work.readable(102.0) == begun[1]


def test_days_that_are_told_no_more_are_left_out() -> None:
    oldest = date(2026, 11, 10)
    old, cut, kept = (
        DAY._replace(since=date(2026, 11, first), until=date(2026, 11, first + 4)) for first in (5, 8, 10)
    )
    work = Work.planning([old, cut, kept], {Level.AD: 1}, "")
    work.begin(cut, NOW, may_vanish=False)
    under_way = work.begin(kept, NOW, may_vanish=False)
    day = work.begin(work.todo[0], NOW, may_vanish=False)
    work.split(day, [DAY._replace(campaigns=part) for part in Ids().cut(["1", "2"])])
    work.stuck = [DAY]

    assert work.drop_untold(oldest)
    assert work.todo == [cut._replace(since=oldest)]
    assert (work.begun, work.stuck, work.divided) == ([under_way], [], {})
    assert not work.drop_untold(oldest)
