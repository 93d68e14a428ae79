"""What the faults look like at Google Ads: which one answers instead, and by which name."""

import math
from collections.abc import Callable, Iterable
from typing import NamedTuple

from providers.sandbox.fault_kinds import FaultKind
from providers.sandbox.faults import Fault
from providers.sandbox.google_errors import GoogleError, access_denied, exhausted, request_error, too_fast
from providers.sandbox.grants import Grant, Grants
from providers.sandbox.ledger import Refusal


class Struck(NamedTuple):
    """The call that a fault meets."""

    grants: Grants
    grant: Grant


def raise_faults(faults: Iterable[Fault], struck: Struck) -> None:
    """Refuse as the first fault says that refuses; those that damage the answer are for later."""
    for fault in faults:
        if answer := _ANSWERS.get(fault.kind):
            raise answer(fault, struck)


def _rate_limit(fault: Fault, _: Struck) -> GoogleError:
    name, scope = fault.text("name", "RESOURCE_EXHAUSTED"), fault.text("scope", "ACCOUNT")
    if name == "RESOURCE_TEMPORARILY_EXHAUSTED" and fault.details.get("retry_after") is None:
        return too_fast()
    retry_after = None if fault.details.get("retry_after", 30) is None else fault.number("retry_after", 30)
    return exhausted(retry_after, scope, "Number of operations for basic access", name=name)


def _server_error(fault: Fault, _: Struck) -> GoogleError:
    """500 comes from the Ads service itself; 503 and 504 from in front of it, with no failure inside."""
    status = fault.number("status", 500)
    return GoogleError(500, "internal", "INTERNAL_ERROR") if status == 500 else GoogleError(status, "", "")


def _platform_error(fault: Fault, _: Struck) -> GoogleError:
    name = fault.text("name", "TRANSIENT_ERROR")
    return GoogleError(
        fault.number("status", 500), fault.text("family", "internal"), name, fault.text("message", "")
    )


def _unknown_error(fault: Fault, _: Struck) -> GoogleError:
    """A family and a name that no version so far has."""
    family, name = fault.text("family", "somethingNew"), fault.text("name", "NOBODY_KNOWS")
    return GoogleError(fault.number("status", 400), family, name, "Something new happened.")


def _expired(_: Fault, struck: Struck) -> GoogleError:
    struck.grants.expire(struck.grant)
    return GoogleError(401, "authentication", "OAUTH_TOKEN_EXPIRED", "The OAuth token has expired.")


def _revoked(_: Fault, struck: Struck) -> GoogleError:
    struck.grants.revoke(struck.grant)
    return GoogleError(401, "authentication", "OAUTH_TOKEN_REVOKED", "The OAuth token was revoked.")


def _expired_cursor(_: Fault, __: Struck) -> GoogleError:
    return request_error("EXPIRED_PAGE_TOKEN", "The page token has expired.", "page_token")


def _denied(fault: Fault, _: Struck) -> GoogleError:
    return access_denied(fault.text("name", "USER_PERMISSION_DENIED"))


_ANSWERS: dict[FaultKind, Callable[[Fault, Struck], GoogleError]] = {
    FaultKind.RATE_LIMIT: _rate_limit,
    FaultKind.SERVER_ERROR: _server_error,
    FaultKind.PLATFORM_ERROR: _platform_error,
    FaultKind.UNKNOWN_ERROR: _unknown_error,
    FaultKind.EXPIRED_CURSOR: _expired_cursor,
    FaultKind.ACCESS_DENIED: _denied,
    FaultKind.TOKEN_EXPIRED: _expired,
    FaultKind.TOKEN_REVOKED: _revoked,
}


def refused(refusal: Refusal) -> GoogleError:
    """What Google says of a full window: the customer's, or the project's."""
    scope = "ACCOUNT" if refusal.subject.account_id else "DEVELOPER"
    hours = refusal.limit.seconds / 3600
    return exhausted(math.ceil(refusal.retry_after), scope, f"Number of operations in {hours:g} hours")
