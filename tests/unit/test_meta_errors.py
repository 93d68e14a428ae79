"""Meta's errors become what the caller has to do, by their codes alone."""

from typing import Any

import orjson
import pytest

from providers.errors import LimitReached, ProviderError, Scope
from providers.meta.errors import LIMITS, RULES, WORDS, error_of
from tests.payloads import lines

RECORDED = {payload["name"]: payload for payload in lines("meta_errors.jsonl")}


def limit(code: int, subcode: int = 0, **headers: Any) -> LimitReached:
    """What a limit's code becomes, with these headers (in snake case)."""
    told = {name.replace("_", "-"): orjson.dumps(value).decode() for name, value in headers.items()}
    error = error_of(400, {"error": {"code": code, "error_subcode": subcode}}, CaseBlind(told))
    assert isinstance(error, LimitReached)
    return error


class CaseBlind(dict[str, str]):
    """Headers, as requests has them."""

    def __init__(self, headers: dict[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


@pytest.mark.parametrize("name", RECORDED)
def test_an_answer_becomes_the_error_of_its_codes(name: str) -> None:
    payload = RECORDED[name]

    error = error_of(payload["status"], payload["body"], {})

    assert error.code == payload["expected"]
    assert error.http_status == payload["status"]


@pytest.mark.parametrize("status", [200, 400, 401, 403, 500, 503])
@pytest.mark.parametrize(
    "name", ["token_expired", "ad_account_api_level_limit", "bad_parameter", "reduce_data"]
)
def test_the_http_status_decides_nothing_that_a_code_decides(name: str, status: int) -> None:
    payload = RECORDED[name]

    assert error_of(status, payload["body"], {}).code == payload["expected"]


def test_neither_type_nor_text_decides() -> None:
    error = {"code": 190, "type": "SomethingElse", "message": "User request limit reached"}

    assert error_of(400, {"error": error}, {}).code == "reconnect_needed"


def test_the_error_keeps_code_subcode_and_trace_for_support() -> None:
    error = error_of(400, RECORDED["object_not_visible"]["body"], {})

    assert (error.platform_code, error.trace_id) == ("100/33", "A000000000000000000")


def test_negative_codes_are_codes() -> None:
    assert error_of(500, RECORDED["negative_too_heavy"]["body"], {}).platform_code == "-3/1504045"


def test_metas_own_text_stays_out_of_the_message() -> None:
    body = {"error": {"code": 190, "message": "Error validating access token: EAAB-secret"}}

    error = error_of(400, body, {})

    assert "EAAB" not in str(error)
    assert "EAAB" not in repr(error)


@pytest.mark.parametrize("name", ["unknown_code", "unknown_transient", "unknown_with_500"])
def test_an_unknown_code_is_told_apart(name: str) -> None:
    error = error_of(RECORDED[name]["status"], RECORDED[name]["body"], {})

    assert (error.is_known, error.platform_code) == (False, "987654")


def test_every_class_in_the_table_has_words() -> None:
    assert {*RULES.values()} <= {*WORDS}
    assert all(issubclass(kind, ProviderError) for kind in RULES.values())
    assert not {code for code in RULES if code in LIMITS}


@pytest.mark.parametrize(
    ("code", "scope", "use_case"),
    [
        (4, Scope.APP, ""),
        (341, Scope.APP, ""),
        (17, Scope.AD_ACCOUNT, ""),
        (613, Scope.AD_ACCOUNT, ""),
        (80000, Scope.USE_CASE, "ads_insights"),
        (80004, Scope.USE_CASE, "ads_management"),
        (80014, Scope.USE_CASE, "catalog_batch"),
    ],
)
def test_a_limit_names_what_has_to_rest(code: int, scope: Scope, use_case: str) -> None:
    assert (limit(code).scope, limit(code).use_case) == (scope, use_case)


def test_a_policy_block_lasts_its_day_whatever_the_scores_reset_says() -> None:
    usage = {"acc_id_util_pct": 100.0, "reset_time_duration": 140}

    assert limit(368, x_ad_account_usage=usage).retry_after == 86_400


def test_a_spent_score_blocks_for_what_its_header_says() -> None:
    usage = {"acc_id_util_pct": 100.0, "reset_time_duration": 140, "ads_api_access_tier": "standard_access"}

    assert limit(17, 2446079, x_ad_account_usage=usage).retry_after == 140


@pytest.mark.parametrize(("tier", "seconds"), [("standard_access", 60), ("development_access", 300)])
def test_a_spent_score_without_a_time_blocks_by_tier(tier: str, seconds: int) -> None:
    usage = {"acc_id_util_pct": 100.0, "ads_api_access_tier": tier}

    assert limit(17, 2446079, x_ad_account_usage=usage).retry_after == seconds


def test_a_spent_score_without_any_header_blocks_for_the_longest_time() -> None:
    assert limit(17, 2446079).retry_after == 300


def test_a_use_case_rests_for_its_own_minutes_wherever_they_stand() -> None:
    entries = [
        {"type": "ads_insights", "estimated_time_to_regain_access": 40},
        {"type": "ads_management", "estimated_time_to_regain_access": 17},
    ]

    assert limit(80004, x_business_use_case_usage={"1": entries}).retry_after == 17 * 60
    assert limit(80000, x_business_use_case_usage={"1": entries}).retry_after == 40 * 60


def test_a_use_case_that_is_not_told_rests_as_long_as_any_that_is() -> None:
    entries = [{"type": "ads_insights", "estimated_time_to_regain_access": 40}]

    assert limit(80004, x_business_use_case_usage={"1": entries}).retry_after == 40 * 60


def test_a_use_case_without_minutes_rests_for_its_whole_window() -> None:
    assert limit(80004).retry_after == 3600
