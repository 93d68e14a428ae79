"""What the faults look like at Google Ads: which one answers instead, and by which name."""

import math
from collections.abc import Iterable

from providers.sandbox.faults import Fault, FaultKind
from providers.sandbox.google_errors import GoogleError, access_denied, exhausted, request_error, too_fast
from providers.sandbox.grants import Grant, Grants
from providers.sandbox.ledger import Refusal

_SERVER = {500: "INTERNAL_ERROR", 503: "", 504: ""}


def raise_faults(faults: Iterable[Fault], grants: Grants, grant: Grant) -> None:
    """Refuse as the first fault says that refuses; those that damage the answer are for later."""
    for fault in faults:
        match fault.kind:
            case FaultKind.RATE_LIMIT:
                raise _rate_limit(fault)
            case FaultKind.SERVER_ERROR:
                status = fault.number("status", 500)
                raise GoogleError(status, "internal" if _SERVER.get(status) else "", _SERVER.get(status, ""))
            case FaultKind.PLATFORM_ERROR:
                family, name = fault.text("family", "internal"), fault.text("name", "TRANSIENT_ERROR")
                raise GoogleError(fault.number("status", 500), family, name)
            case FaultKind.EXPIRED_CURSOR:
                raise request_error("EXPIRED_PAGE_TOKEN", "The page token has expired.", "page_token")
            case FaultKind.ACCESS_DENIED:
                raise access_denied(fault.text("name", "USER_PERMISSION_DENIED"))
            case FaultKind.TOKEN_EXPIRED:
                grants.expire(grant)
                raise GoogleError(
                    401, "authentication", "OAUTH_TOKEN_EXPIRED", "The OAuth token has expired."
                )
            case FaultKind.TOKEN_REVOKED:
                grants.revoke(grant)
                raise GoogleError(
                    401, "authentication", "OAUTH_TOKEN_REVOKED", "The OAuth token was revoked."
                )
            case _:
                pass


def _rate_limit(fault: Fault) -> GoogleError:
    if fault.text("name", "RESOURCE_EXHAUSTED") == "RESOURCE_TEMPORARILY_EXHAUSTED":
        return too_fast()
    scope = fault.text("scope", "ACCOUNT")
    return exhausted(fault.number("retry_after", 30), scope, "Number of operations for basic access")


def refused(refusal: Refusal) -> GoogleError:
    """What Google says of a full window: the customer's, or the project's."""
    scope = "ACCOUNT" if refusal.subject.account_id else "DEVELOPER"
    hours = refusal.limit.seconds / 3600
    return exhausted(math.ceil(refusal.retry_after), scope, f"Number of operations in {hours:g} hours")
