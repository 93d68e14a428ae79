"""Meta's usage headers are read in full, and what they don't say stays unknown."""

import logging
from typing import Any

import orjson
import pytest

from providers.base import Usage
from providers.meta.usage import meters_of, usage_of
from tests.payloads import read


def headers(**values: Any) -> dict[str, str]:
    names = {
        "app": "X-App-Usage",
        "account": "X-Ad-Account-Usage",
        "cases": "X-Business-Use-Case-Usage",
        "insights": "X-Fb-Ads-Insights-Throttle",
    }
    return {names[name]: orjson.dumps(value).decode() for name, value in values.items()}


def test_the_documented_headers_tell_their_fullest_meter() -> None:
    documented = read("meta_usage_headers.json")
    given = {name.title(): orjson.dumps(value).decode() for name, value in documented.items()}

    assert usage_of(given) == Usage(percent=95.0, regain_after=None)


def test_without_headers_nothing_is_known() -> None:
    assert usage_of({}) == Usage(percent=None, regain_after=None)


@pytest.mark.parametrize("text", ["", "null", "[]", "{", "17", '{"1": "full"}', '{"1": ["full"]}'])
def test_an_unreadable_header_is_no_header(text: str) -> None:
    assert usage_of({"X-Business-Use-Case-Usage": text}) == Usage()


@pytest.mark.parametrize("name", ["call_count", "total_time", "total_cputime"])
def test_each_share_of_the_app_counts(name: str) -> None:
    assert usage_of(headers(app={"call_count": 1, name: 118})).percent == 118.0


def test_all_types_in_all_lists_count() -> None:
    cases = {
        "1": [{"type": "custom_audience", "call_count": 3}],
        "2": [
            {"type": "ads_insights", "call_count": 4, "estimated_time_to_regain_access": 2},
            {"type": "ads_management", "total_time": 121, "estimated_time_to_regain_access": 9},
        ],
    }

    assert usage_of(headers(cases=cases)) == Usage(percent=121.0, regain_after=9 * 60)
    assert meters_of(headers(cases=cases)).regain == {"ads_insights": 120.0, "ads_management": 540.0}


def test_a_use_case_told_twice_is_blocked_for_the_longer_time() -> None:
    entry = {"type": "ads_management", "estimated_time_to_regain_access": 3}
    cases = {"1": [entry | {"estimated_time_to_regain_access": 8}], "2": [entry]}

    assert meters_of(headers(cases=cases)).regain == {"ads_management": 480.0}


def test_the_reset_of_a_score_that_is_not_spent_is_no_time_to_wait() -> None:
    account = {"acc_id_util_pct": 9.67, "reset_time_duration": 100}

    assert usage_of(headers(account=account)) == Usage(percent=9.67, regain_after=None)


def test_the_reset_of_a_spent_score_is_a_time_to_wait() -> None:
    account = {"acc_id_util_pct": 100.0, "reset_time_duration": 100}

    assert usage_of(headers(account=account)) == Usage(percent=100.0, regain_after=100.0)


def test_another_full_meter_does_not_make_the_scores_reset_a_time_to_wait() -> None:
    account = {"acc_id_util_pct": 9.67, "reset_time_duration": 100}

    assert usage_of(headers(account=account, app={"call_count": 101})) == Usage(percent=101.0)


def test_the_insights_throttle_is_a_meter_too() -> None:
    assert usage_of(headers(insights={"app_id_util_pct": 0, "acc_id_util_pct": 71.5})).percent == 71.5


def test_the_tier_is_told_wherever_it_stands() -> None:
    assert meters_of(headers(account={"ads_api_access_tier": "standard_access"})).tier == "standard_access"


def test_the_end_of_the_version_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    warned = {"X-Ad-Api-Version-Warning": "Upgraded to v99.0."}

    with caplog.at_level(logging.WARNING):
        usage_of(warned)
        usage_of(warned)

    (record,) = caplog.records
    assert record.__dict__["text"] == "Upgraded to v99.0."
