"""Meta's insights are read exactly, and an odd value costs itself and no more."""

from decimal import Decimal
from typing import Any

import pytest

from providers.meta.insight_rows import Question, insight_records
from providers.records import InsightRecord, Level

ROW = {
    "ad_id": "23856469955990536",
    "adset_id": "6",
    "campaign_id": "5",
    "date_start": "2026-11-01",
    "date_stop": "2026-11-01",
    "impressions": "185",
    "clicks": "7",
    "spend": "14.35",
}


def read(attribution: str = "7d_click_1d_view", **values: Any) -> InsightRecord:
    (record,) = insight_records([ROW | values], Question(Level.AD, "act_1", "EUR", attribution))
    return record


def action(name: str, **windows: str) -> dict[str, str]:
    return {"action_type": name} | {window.lstrip("_"): value for window, value in windows.items()}


@pytest.mark.parametrize(
    ("spend", "micros"),
    [
        ("14.35", 14_350_000),
        ("144", 144_000_000),
        ("0.1", 100_000),
        ("0.000001", 1),
        ("90071992547.409931", 90_071_992_547_409_931),  # past what a float holds
        (14.35, 14_350_000),
        ("", 0),
        ("1e400", 0),
        ("NaN", 0),
        ("a lot", 0),
        (True, 0),
        ([], 0),
    ],
)
def test_money_is_exact(spend: object, micros: int) -> None:
    assert read(spend=spend).spend_micros == micros


def test_what_is_not_told_is_nothing_or_unknown() -> None:
    record = read()

    assert record.conversions == record.conversion_value_micros == 0
    assert record.conversions_by_type == {}
    assert (record.reach, record.video_views, record.extra) == (None, None, {})
    assert record.currency == "EUR"


def test_the_row_tells_its_own_currency() -> None:
    assert read(account_currency="USD").currency == "USD"


def test_all_channels_together_go_before_the_website_alone() -> None:
    both = [action("purchase", value="2", _7d_click="2"), action("omni_purchase", value="3", _7d_click="3")]
    worth = [action("omni_purchase", value="30.5", _7d_click="30.5")]

    assert read(actions=both).conversions == 3
    assert read(actions=both[:1]).conversions == 2
    assert read(actions=both, action_values=worth).conversion_value_micros == 30_500_000


def test_the_windows_of_the_attribution_are_added() -> None:
    bought = [action("purchase", value="5", _1d_view="1", _1d_click="2", _7d_click="4", _28d_click="6")]
    expected = {"7d_click_1d_view": 5, "7d_click": 4, "1d_click": 2, "1d_click_1d_view": 3, "28d_click": 6}

    assert {name: read(name, actions=bought).conversions for name in expected} == expected


def test_a_window_that_is_not_told_is_nothing() -> None:
    viewed = [action("purchase", value="1", _1d_view="1")]

    assert read("1d_click", actions=viewed).conversions == 0


def test_without_any_window_the_value_is_the_default_ones() -> None:
    bare = [action("purchase", value="4", inline="1")]

    assert read(actions=bare).conversions == 4
    assert read("1d_click", actions=bare).conversions == 0


def test_the_same_type_may_come_twice_and_counts_may_have_fractions() -> None:
    record = read(actions=[action("lead", value="0.5"), action("lead", value="2.25")])

    assert record.conversions_by_type == {"lead": {"count": "2.75", "value_micros": 0}}


def test_counts_are_written_without_exponents_or_empty_places() -> None:
    found = read(actions=[action("a", value="100.0"), action("b", value="1E+2"), action("c", value="2.50")])

    assert found.conversions_by_type is not None
    assert [one["count"] for one in found.conversions_by_type.values()] == ["100", "100", "2.5"]


@pytest.mark.parametrize("actions", ["none", 7, {"action_type": "purchase"}, [None, "x", 1, {}]])
def test_odd_actions_cost_themselves(actions: object) -> None:
    record = read(actions=actions)

    assert (record.impressions, record.spend_micros) == (185, 14_350_000)
    assert record.conversions == 0


def test_videos_are_counted_to_their_end() -> None:
    watched = [{"action_type": "video_view", "value": "12"}]

    record = read(video_thruplay_watched_actions=watched, video_play_actions=[{"value": "40"}])

    assert (record.video_views, record.extra["video_play_actions"]) == (12, 40)


def test_other_metrics_keep_metas_names() -> None:
    record = read(frequency="1.385604", inline_link_clicks="6", reach="133")

    assert record.extra == {"frequency": "1.385604", "inline_link_clicks": 6}
    assert record.reach == 133


@pytest.mark.parametrize("missing", ["ad_id", "date_start"])
def test_a_row_without_its_key_is_left_out_and_a_page_of_such_rows_is_no_answer(missing: str) -> None:
    broken = {name: value for name, value in ROW.items() if name != missing}
    question = Question(Level.AD, "act_1", "EUR")

    assert len(insight_records([ROW, broken], question)) == 1
    with pytest.raises(ValueError, match="no row"):
        insight_records([broken], question)


@pytest.mark.parametrize(
    ("level", "external_id"),
    [
        (Level.ACCOUNT, "act_1"),
        (Level.CAMPAIGN, "5"),
        (Level.AD_GROUP, "6"),
        (Level.AD, "23856469955990536"),
    ],
)
def test_a_row_is_about_its_levels_entity(level: Level, external_id: str) -> None:
    (record,) = insight_records([ROW], Question(level, "act_1", "EUR"))

    assert record.external_id == external_id
    assert record.conversions == Decimal(0)
