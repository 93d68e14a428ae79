"""What the faults look like at Meta: which one answers instead, and with which code."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

import orjson

from providers.sandbox.fault_kinds import FaultKind
from providers.sandbox.faults import Fault
from providers.sandbox.grants import Grant, Grants
from providers.sandbox.ledger import Refusal
from providers.sandbox.meta_errors import (
    MetaError,
    account_score_spent,
    invalid_session,
    not_visible,
    too_much_data,
    too_wide,
    use_case_limit,
)
from providers.sandbox.meta_usage import INSIGHTS_THROTTLE, TIER, insights_throttle, use_case

# Which use case is spent, by the code that says so.
USE_CASES = {
    80000: "ads_insights",
    80001: "pages",
    80002: "instagram",
    80003: "custom_audience",
    80004: "ads_management",
    80005: "leadgen",
    80006: "messenger",
    80008: "whatsapp",
    80009: "catalog_management",
    80014: "catalog_batch",
}
SCORE_WINDOW = 300  # seconds over which Meta's score of an ad account decays; longer windows are use cases'


class Struck(NamedTuple):
    """The call that a fault meets, and the headers of its answer."""

    grants: Grants
    grant: Grant | None  # calls about tokens may come without one
    account_id: str
    headers: dict[str, str]


def raise_faults(faults: Iterable[Fault], struck: Struck) -> None:
    """Refuse as the first fault says that refuses; those that damage the answer are for later."""
    for fault in faults:
        if fault.kind == FaultKind.USAGE:
            struck.headers.update(_usage(fault, struck))
    for fault in faults:
        if answer := _ANSWERS.get(fault.kind):
            raise answer(fault, struck)


def _rate_limit(fault: Fault, struck: Struck) -> MetaError:
    code, minutes = fault.number("code", 17), fault.seconds("minutes", 5)
    if code == 17:
        struck.headers["X-Ad-Account-Usage"] = _account_usage(104.2, minutes)
        return account_score_spent()
    if code in USE_CASES:
        usage = _use_case_usage(struck.account_id, USE_CASES[code], 118, minutes)
        struck.headers["X-Business-Use-Case-Usage"] = usage
        return use_case_limit(code)
    if code == 4:
        # 403 has been seen for it; the code decides, not the status.
        return MetaError(4, subcode=fault.number("subcode", 1504022), status=403, is_transient=True)
    return MetaError(code, subcode=fault.number("subcode", 1487742 if code == 613 else 0) or None)


def _usage(fault: Fault, struck: Struck) -> dict[str, str]:
    """What an answer tells of a meter that is full, whatever the answer is."""
    percent, minutes = fault.seconds("percent", 118), fault.seconds("minutes", 0)
    match fault.text("whose", "use_case"):
        case "app":
            meters = {"call_count": int(percent), "total_time": 25, "total_cputime": 25}
            return {"X-App-Usage": orjson.dumps(meters).decode()}
        case "account":
            return {"X-Ad-Account-Usage": _account_usage(percent, minutes)}
        case "insights":
            return {INSIGHTS_THROTTLE: insights_throttle(3, percent)}
    use_case = fault.text("type", "ads_management")
    return {"X-Business-Use-Case-Usage": _use_case_usage(struck.account_id, use_case, percent, minutes)}


def _account_usage(percent: float, minutes: float) -> str:
    """This header alone tells seconds."""
    usage = {
        "acc_id_util_pct": percent,
        "reset_time_duration": math.ceil(minutes * 60),
        "ads_api_access_tier": TIER,
    }
    return orjson.dumps(usage).decode()


def _use_case_usage(account_id: str, full: str, percent: float, minutes: float) -> str:
    """Two types, with the full one second: a reader of the first alone misses it."""
    calm = "custom_audience" if full != "custom_audience" else "ads_insights"
    usage = [use_case(calm, 3, 0), use_case(full, percent, math.ceil(minutes))]
    return orjson.dumps({account_id: usage}).decode()


def _server_error(fault: Fault, _: Struck) -> MetaError:
    status, is_transient = fault.number("status", 500), fault.flag("is_transient", default=True)
    return MetaError(2, status=status, is_transient=is_transient)


def _platform_error(fault: Fault, _: Struck) -> MetaError:
    told = {"is_transient": fault.details["is_transient"]} if "is_transient" in fault.details else {}
    return MetaError(
        fault.number("code", 1),
        fault.text("message", ""),
        subcode=fault.number("subcode", 0) or None,
        status=fault.number("status", 400),
        **told,
    )


def _unknown_error(fault: Fault, _: Struck) -> MetaError:
    """A code that no documentation has."""
    subcode = fault.number("subcode", 7654321)
    return MetaError(fault.number("code", 987654), subcode=subcode, status=fault.number("status", 400))


def _denied(fault: Fault, struck: Struck) -> MetaError:
    code = fault.number("code", 200)
    if code == 100:
        return not_visible(f"act_{struck.account_id}")
    return MetaError(code, status=403)


def _expired(_: Fault, struck: Struck) -> MetaError:
    if struck.grant is not None:
        struck.grants.expire(struck.grant)
    return invalid_session(463)


def _revoked(fault: Fault, struck: Struck) -> MetaError:
    subcode = fault.number("subcode", 460)
    if struck.grant is not None:
        struck.grants.revoke(struck.grant, subcode)
    return invalid_session(subcode)


_ANSWERS: dict[FaultKind, Callable[[Fault, Struck], MetaError]] = {
    FaultKind.RATE_LIMIT: _rate_limit,
    FaultKind.SERVER_ERROR: _server_error,
    FaultKind.PLATFORM_ERROR: _platform_error,
    FaultKind.UNKNOWN_ERROR: _unknown_error,
    FaultKind.TOO_MUCH_DATA: lambda _fault, _struck: too_much_data(),
    FaultKind.TOO_WIDE: lambda _fault, _struck: too_wide(),
    FaultKind.EXPIRED_CURSOR: lambda _fault, _struck: MetaError(2642),
    FaultKind.ACCESS_DENIED: _denied,
    FaultKind.TOKEN_EXPIRED: _expired,
    FaultKind.TOKEN_REVOKED: _revoked,
}


def refused(refusal: Refusal) -> MetaError:
    """What Meta says of a full window: the app's, the ad account's score, or a use case's hour."""
    if not refusal.subject.account_id:
        return MetaError(4, subcode=1504022, is_transient=True)
    if refusal.limit.seconds <= SCORE_WINDOW:
        return account_score_spent()
    return use_case_limit(80004)
