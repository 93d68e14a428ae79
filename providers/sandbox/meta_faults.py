"""What the faults look like at Meta: which one answers instead, and with which code."""

from collections.abc import Iterable

import orjson

from providers.sandbox.faults import Fault, FaultKind
from providers.sandbox.grants import Grant, Grants
from providers.sandbox.ledger import Refusal
from providers.sandbox.meta_errors import (
    MetaError,
    account_score_spent,
    invalid_session,
    not_visible,
    too_much_data,
    use_case_limit,
)

SCORE_WINDOW = 300  # seconds over which Meta's score of an ad account decays; longer windows are use cases'


def raise_faults(
    faults: Iterable[Fault], grants: Grants, grant: Grant | None, headers: dict[str, str]
) -> None:
    """Refuse as the first fault says that refuses; those that damage the answer are for later."""
    for fault in faults:
        match fault.kind:
            case FaultKind.RATE_LIMIT:
                raise _rate_limit(fault, headers)
            case FaultKind.SERVER_ERROR:
                raise MetaError(2, status=fault.number("status", 500), is_transient=True)
            case FaultKind.PLATFORM_ERROR:
                raise MetaError(
                    fault.number("code", 1),
                    subcode=fault.details.get("subcode"),
                    status=fault.number("status", 400),
                )
            case FaultKind.TOO_MUCH_DATA:
                raise too_much_data()
            case FaultKind.EXPIRED_CURSOR:
                raise MetaError(2642)
            case FaultKind.ACCESS_DENIED:
                raise _denied(fault)
            case FaultKind.TOKEN_EXPIRED | FaultKind.TOKEN_REVOKED if grant is not None:
                raise _session_ended(fault, grants, grant)
            case _:
                pass


def _rate_limit(fault: Fault, headers: dict[str, str]) -> MetaError:
    code, minutes = fault.number("code", 17), fault.number("minutes", 5)
    if code == 17:
        headers["X-Ad-Account-Usage"] = _account_usage(minutes * 60)
        return account_score_spent()
    if code >= 80000:
        headers["X-Business-Use-Case-Usage"] = _use_case_usage(fault.account or "0", minutes)
        return use_case_limit(code)
    if code == 4:
        # 403 has been seen for it; the code decides, not the status.
        return MetaError(4, subcode=fault.number("subcode", 1504022), status=403, is_transient=True)
    return MetaError(code, subcode=fault.number("subcode", 1487742))


def _account_usage(seconds: int) -> str:
    usage = {
        "acc_id_util_pct": 104.2,
        "reset_time_duration": seconds,
        "ads_api_access_tier": "standard_access",
    }
    return orjson.dumps(usage).decode()


def _use_case_usage(account_id: str, minutes: int) -> str:
    """Two types, with the full one second: a reader of the first alone misses it."""
    calm = {"type": "custom_audience", "call_count": 3, "total_cputime": 1, "total_time": 1}
    full = {"type": "ads_management", "call_count": 118, "total_cputime": 40, "total_time": 60}
    tier = {"ads_api_access_tier": "standard_access"}
    usage = [
        calm | {"estimated_time_to_regain_access": 0} | tier,
        full | {"estimated_time_to_regain_access": minutes} | tier,
    ]
    return orjson.dumps({account_id: usage}).decode()


def _denied(fault: Fault) -> MetaError:
    code = fault.number("code", 200)
    if code == 100:
        return not_visible(f"act_{fault.account}")
    return MetaError(code, status=403)


def _session_ended(fault: Fault, grants: Grants, grant: Grant) -> MetaError:
    if fault.kind == FaultKind.TOKEN_EXPIRED:
        grants.expire(grant)
        return invalid_session(463)
    grants.revoke(grant, fault.number("subcode", 460))
    return invalid_session(grant.subcode)


def refused(refusal: Refusal) -> MetaError:
    """What Meta says of a full window: the app's, the ad account's score, or a use case's hour."""
    if not refusal.subject.account_id:
        return MetaError(4, subcode=1504022, is_transient=True)
    if refusal.limit.seconds <= SCORE_WINDOW:
        return account_score_spent()
    return use_case_limit(80004)
