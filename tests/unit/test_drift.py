"""What answers hold that this version does not know is told, and nothing that may be anybody's data."""

from collections import Counter
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from providers.drift import KEYS, NO_NAME, NO_WORD, WORDS, DriftKind, Oddity, listening, tell
from providers.google import parse as google
from providers.google.insight_rows import Question as GoogleQuestion
from providers.google.insight_rows import insight_records as google_insights
from providers.meta import parse as meta
from providers.meta.insight_rows import Question, insight_records
from providers.records import EntityStatus, Level, Stream
from tests.unit.test_google_parse import AD as GOOGLE_AD
from tests.unit.test_google_parse import CAMPAIGN as GOOGLE_CAMPAIGN
from tests.unit.test_meta_parse import AD, AD_SET, CAMPAIGN

Row = dict[str, Any]


def heard_of(stream: Stream, *rows: Any) -> Counter[Oddity]:
    with listening() as heard:
        meta.records_of(stream, list(rows), "USD")
    return heard


def heard_of_google(stream: Stream, *rows: Any) -> Counter[Oddity]:
    with listening() as heard:
        google.records_of(stream, list(rows), lambda: ZoneInfo("Europe/Berlin"))
    return heard


def test_what_is_known_is_not_told() -> None:
    assert not heard_of(Stream.CAMPAIGNS, CAMPAIGN, CAMPAIGN | {"bid_strategy": "COST_CAP"})
    assert not heard_of(Stream.AD_GROUPS, AD_SET)
    assert not heard_of(Stream.ADS, AD)
    assert not heard_of_google(Stream.CAMPAIGNS, GOOGLE_CAMPAIGN)
    assert not heard_of_google(Stream.ADS, GOOGLE_AD)


@pytest.mark.parametrize(
    ("changes", "place", "word"),
    [
        ({"objective": "OUTCOME_NEW"}, "campaigns.objective", "OUTCOME_NEW"),
        ({"bid_strategy": "HIGHEST_COST"}, "campaigns.bid_strategy", "HIGHEST_COST"),
        ({"effective_status": "ON_HOLD"}, "campaigns.effective_status", "ON_HOLD"),
        ({"status": "ON_HOLD"}, "campaigns.status", "ON_HOLD"),
        ({"objective": "Jane Doe, +49 30 1"}, "campaigns.objective", NO_WORD),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_new_word_is_told_once_a_page_with_its_place(changes: Row, place: str, word: str) -> None:
    row = CAMPAIGN | changes

    assert heard_of(Stream.CAMPAIGNS, row, CAMPAIGN, row) == {(DriftKind.WORD, place, word): 1}


def test_a_new_status_is_unknown_and_told() -> None:
    with listening() as heard:
        (record,) = meta.records_of(Stream.ADS, [AD | {"status": "ON_HOLD"}], "USD")

    assert record.status is EntityStatus.UNKNOWN
    assert heard == {(DriftKind.WORD, "ads.status", "ON_HOLD"): 1}


@pytest.mark.parametrize(
    ("row", "oddity"),
    [
        (AD | {"colour": "red"}, (DriftKind.KEY, "ads", "colour")),
        (AD | {"creative": {"id": "1", "shade": 7}}, (DriftKind.KEY, "ads.creative", "shade")),
        (AD | {"a name, with data": 1}, (DriftKind.KEY, "ads", NO_NAME)),
        ({key: AD[key] for key in AD if key != "name"}, (DriftKind.MISSING, "ads", "name")),
    ],
    ids=lambda value: str(value[2]) if isinstance(value, tuple) else "",
)
def test_new_and_missing_keys_are_told(row: Row, oddity: tuple[str, ...]) -> None:
    assert heard_of(Stream.ADS, row) == {oddity: 1}


def test_google_is_looked_through_likewise() -> None:
    campaign = GOOGLE_CAMPAIGN["campaign"]
    row = {
        **GOOGLE_CAMPAIGN,
        "campaign": {**campaign, "advertisingChannelType": "UNKNOWN", "status": "ON_HOLD", "mood": "good"},
        "metricAttributes": {"some": "thing"},
    }

    assert heard_of_google(Stream.CAMPAIGNS, row) == {
        (DriftKind.WORD, "campaigns.campaign.advertisingChannelType", "UNKNOWN"): 1,
        (DriftKind.WORD, "campaigns.campaign.status", "ON_HOLD"): 1,
        (DriftKind.KEY, "campaigns.campaign", "mood"): 1,
        (DriftKind.KEY, "campaigns", "metricAttributes"): 1,
    }


def test_new_keys_of_insights_are_told() -> None:
    row = {"ad_id": "1", "campaign_id": "2", "adset_id": "3", "date_start": "2026-11-01", "joy": "5"}

    with listening() as heard:
        insight_records([row], Question(Level.AD, "act_1", "USD"))

    assert heard == {(DriftKind.KEY, "insights", "joy"): 1}


def test_new_keys_of_googles_insights_are_told() -> None:
    row = {
        "campaign": {"resourceName": "customers/1/campaigns/2", "id": "2"},
        "segments": {"date": "2026-11-01"},
        "metrics": {"costMicros": "5", "conversionsByConversionDate": 1.5, "joy": 3},
    }

    with listening() as heard:
        google_insights([row], GoogleQuestion(Level.CAMPAIGN, "EUR", "click_date"), None)

    assert heard == {(DriftKind.KEY, "insights.metrics", "joy"): 1}


def test_of_a_long_page_a_part_is_looked_at_and_another_one_the_next_time() -> None:
    rows = [CAMPAIGN] * (WORDS * 4)
    rows[1] = CAMPAIGN | {"objective": "OUTCOME_NEW"}

    heard = [bool(heard_of(Stream.CAMPAIGNS, *rows)) for _ in range(200)]

    assert 10 < sum(heard) < 190  # a quarter of them
    assert KEYS < WORDS


def test_odd_pages_are_no_trouble() -> None:
    assert not heard_of(Stream.CAMPAIGNS)
    with pytest.raises(ValueError, match="no row of the page has an id"):
        heard_of(Stream.CAMPAIGNS, None, [])


def test_nobody_has_to_listen() -> None:
    tell(DriftKind.WORD, "ads.status", "LOST")

    with listening() as heard:
        pass

    assert not heard
