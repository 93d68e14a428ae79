"""What the faults look like at Meta: which one answers instead, and with which code."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

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


class Struck(NamedTuple):
    """The call that a fault meets, and the headers of its answer."""

    grants: Grants
    grant: Grant
    account_id: str
    headers: dict[str, str]


def raise_faults(faults: Iterable[Fault], struck: Struck) -> None:
    """Refuse as the first fault says that refuses; those that damage the answer are for later."""
    for fault in faults:
        if answer := _ANSWERS.get(fault.kind):
            raise answer(fault, struck)


def _rate_limit(fault: Fault, struck: Struck) -> MetaError:
    code, minutes = fault.number("code", 17), fault.number("minutes", 5)
    if code == 17:
        struck.headers["X-Ad-Account-Usage"] = _account_usage(minutes * 60)
        return account_score_spent()
    if code >= 80000:
        struck.headers["X-Business-Use-Case-Usage"] = _use_case_usage(struck.account_id, minutes)
        return use_case_limit(code)
    if code == 4:
        # 403 has been seen for it; the code decides, not the status.
        return MetaError(4, subcode=fault.number("subcode", 1504022), status=403, is_transient=True)
    return MetaError(code, subcode=fault.number("subcode", 1487742 if code == 613 else 0) or None)


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


def _server_error(fault: Fault, _: Struck) -> MetaError:
    return MetaError(2, status=fault.number("status", 500), is_transient=True)


def _platform_error(fault: Fault, _: Struck) -> MetaError:
    subcode = fault.number("subcode", 0) or None
    return MetaError(fault.number("code", 1), subcode=subcode, status=fault.number("status", 400))


def _denied(fault: Fault, struck: Struck) -> MetaError:
    code = fault.number("code", 200)
    if code == 100:
        return not_visible(f"act_{struck.account_id}")
    return MetaError(code, status=403)


def _expired(_: Fault, struck: Struck) -> MetaError:
    struck.grants.expire(struck.grant)
    return invalid_session(463)


def _revoked(fault: Fault, struck: Struck) -> MetaError:
    struck.grants.revoke(struck.grant, fault.number("subcode", 460))
    return invalid_session(struck.grant.subcode)


_ANSWERS: dict[FaultKind, Callable[[Fault, Struck], MetaError]] = {
    FaultKind.RATE_LIMIT: _rate_limit,
    FaultKind.SERVER_ERROR: _server_error,
    FaultKind.PLATFORM_ERROR: _platform_error,
    FaultKind.TOO_MUCH_DATA: lambda _fault, _struck: too_much_data(),
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
