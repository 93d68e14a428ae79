"""Meta's usage headers are read in full, and what they don't say stays unknown."""

from typing import Any

import orjson
import pytest

from providers.base import Reading, Usage
from providers.drift import DriftKind, listening
from providers.errors import Scope
from providers.meta.usage import usage_of
from tests.payloads import read


def headers(**values: Any) -> dict[str, str]:
    names = {
        "app": "X-App-Usage",
        "account": "X-Ad-Account-Usage",
        "cases": "X-Business-Use-Case-Usage",
        "insights": "X-Fb-Ads-Insights-Throttle",
    }
    return {names[name]: orjson.dumps(value).decode() for name, value in values.items()}


def test_the_documented_headers_tell_every_meter_and_what_it_is_about() -> None:
    documented = read("meta_usage_headers.json")
    given = {name.title(): orjson.dumps(value).decode() for name, value in documented.items()}

    assert usage_of(given) == Usage(
        (
            Reading(Scope.APP, 28.0, 3600),
            Reading(Scope.AD_ACCOUNT, 9.67, 100, regain_after=100),
            Reading(Scope.USE_CASE, 95.0, 3600, "ads_management"),
            Reading(Scope.USE_CASE, 7.5, 3600, "ads_insights"),
        ),
        tier="standard_access",
    )
    assert usage_of(given).percent == 95.0


def test_without_headers_nothing_is_known() -> None:
    assert usage_of({}) == Usage()
    assert (usage_of({}).percent, usage_of({}).regain_after) == (None, None)


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{", "17", '{"1": "full"}', '{"1": ["full"]}', '{"1": [{}]}']
)
def test_an_unreadable_header_is_no_header(text: str) -> None:
    assert usage_of({"X-Business-Use-Case-Usage": text}) == Usage()


@pytest.mark.parametrize("name", ["call_count", "total_time", "total_cputime"])
def test_each_share_of_the_app_counts(name: str) -> None:
    assert usage_of(headers(app={"call_count": 1, name: 118})).readings == (Reading(Scope.APP, 118.0, 3600),)


def test_all_types_in_all_lists_count() -> None:
    cases = {
        "1": [{"type": "custom_audience", "call_count": 3}],
        "2": [
            {"type": "ads_insights", "call_count": 4, "estimated_time_to_regain_access": 2},
            {"type": "ads_management", "total_time": 121, "estimated_time_to_regain_access": 9},
        ],
    }

    usage = usage_of(headers(cases=cases))

    assert usage.readings == (
        Reading(Scope.USE_CASE, 3.0, 3600, "custom_audience"),
        Reading(Scope.USE_CASE, 100.0, 3600, "ads_insights", regain_after=120),  # blocked, whatever it counts
        Reading(Scope.USE_CASE, 121.0, 3600, "ads_management", regain_after=540),
    )
    assert usage.regain_after == 540


def test_the_reset_of_a_score_that_is_not_spent_is_no_time_to_wait() -> None:
    account = {"acc_id_util_pct": 9.67, "reset_time_duration": 100}

    assert usage_of(headers(account=account)).regain_after is None


def test_the_reset_of_a_spent_score_is_a_time_to_wait() -> None:
    account = {"acc_id_util_pct": 100.0, "reset_time_duration": 100}

    assert usage_of(headers(account=account)).regain_after == 100.0


def test_another_full_meter_does_not_make_the_scores_reset_a_time_to_wait() -> None:
    account = {"acc_id_util_pct": 9.67, "reset_time_duration": 100}

    assert usage_of(headers(account=account, app={"call_count": 101})).regain_after is None


def test_a_score_without_a_reset_is_forgotten_in_its_five_minutes() -> None:
    assert usage_of(headers(account={"acc_id_util_pct": 50})).readings[0].span == 300


def test_the_fuller_insights_throttle_rests_insights_only() -> None:
    told = usage_of(headers(insights={"app_id_util_pct": 80, "acc_id_util_pct": 71.5}))

    assert told.readings == (Reading(Scope.USE_CASE, 80.0, 3600, "ads_insights"),)


@pytest.mark.parametrize(
    "given",
    [
        headers(account={"ads_api_access_tier": "standard_access"}),
        headers(cases={"1": [{"type": "pages"}, {"ads_api_access_tier": "standard_access"}]}),
        headers(insights={"ads_api_access_tier": "standard_access"}),
    ],
)
def test_the_tier_is_told_wherever_it_stands(given: dict[str, str]) -> None:
    assert usage_of(given).tier == "standard_access"


def test_the_end_of_the_version_is_told_with_each_answer() -> None:
    warned = {"X-Ad-Api-Version-Warning": "Upgraded to v99.0."}

    with listening() as heard:
        usage_of(warned)
        usage_of(warned)

    assert heard == {(DriftKind.VERSION, "X-Ad-Api-Version-Warning", "Upgraded to v99.0."): 2}
