"""What can go wrong at a platform, named after the caller's next move.

Translation from the platforms' codes happens once, in `meta/errors.py` and `google/errors.py`;
never from message texts. `code` is stable and stored; the text may change. No message ever holds
a token or a raw body.
"""

import re
from enum import StrEnum
from typing import Any

LONGEST_CODE = 80  # characters; the longest of Google's names has 70
_ODD = re.compile(r"[^\x21-\x7e]")


def plain(text: object) -> str:
    """A platform's own name for something, fit to be stored and shown whatever it holds."""
    return _ODD.sub("?", str(text)[:LONGEST_CODE])


class Category(StrEnum):
    """The categories that the history and the API show."""

    RATE_LIMIT = "RATE_LIMIT"
    API_ERROR = "API_ERROR"
    VALIDATION_ERROR = "VALIDATION_ERROR"
    NETWORK_ERROR = "NETWORK_ERROR"
    UNKNOWN = "UNKNOWN"


class Scope(StrEnum):
    """What a refusal is about, and so what has to rest."""

    AD_ACCOUNT = "ad_account"
    USE_CASE = "use_case"  # of the ad account: its other use cases go on
    APP = "app"  # Meta: the app; Google: the project


class ProviderError(Exception):
    """The call failed and repeating it unchanged will not help."""

    code = "provider_error"
    category = Category.API_ERROR

    def __init__(
        self,
        message: str,
        *,
        platform_code: str = "",
        http_status: int | None = None,
        trace_id: str = "",
        is_known: bool = True,
    ) -> None:
        """`platform_code` is the platform's own name (`17/2446079`, `quotaError.RESOURCE_EXHAUSTED`);
        `trace_id` is what its support asks for (`fbtrace_id`, `request-id`). `is_known` tells whether our
        tables have the code."""
        super().__init__(message)
        self.platform_code = platform_code
        self.http_status = http_status
        self.trace_id = trace_id
        self.is_known = is_known


class LimitReached(ProviderError):
    """The platform refuses for now: stop calling `scope` for `retry_after` seconds.

    A deferral, not a failure. `retry_after` is the platform's own figure where it gave one, else
    what its documentation says for this limit.
    """

    code = "limit_reached"
    category = Category.RATE_LIMIT

    def __init__(
        self,
        message: str,
        *,
        retry_after: float,
        scope: Scope,
        use_case: str = "",
        **facts: Any,
    ) -> None:
        super().__init__(message, **facts)
        self.retry_after = retry_after
        self.scope = scope
        self.use_case = use_case


class Unreachable(ProviderError):
    """The network, or a server in front of the platform, failed: the same call may succeed later."""

    code = "unreachable"
    category = Category.NETWORK_ERROR


class PlatformFault(ProviderError):
    """The platform says that it failed itself: the same call may succeed later."""

    code = "platform_fault"
    category = Category.UNKNOWN


class UnknownError(ProviderError):
    """A code that our tables do not know: it may pass, so it is retried, and counted by its code."""

    code = "unknown_error"
    category = Category.UNKNOWN


class ReconnectNeeded(ProviderError):
    """The grant is expired or revoked: only the user can help, by connecting again."""

    code = "reconnect_needed"


class AccessDenied(ProviderError):
    """This ad account is closed, gone or not permitted to the grant; others of it may be fine."""

    code = "access_denied"


class InvalidRequest(ProviderError):
    """The platform calls the request itself wrong: a defect or a setting of ours, never retried."""

    code = "invalid_request"
    category = Category.VALIDATION_ERROR


class VersionEnded(InvalidRequest):
    """The platform no longer offers the version of its API that the settings name: set a newer one."""

    code = "version_ended"


class FieldGone(InvalidRequest):
    """The version of the API that the settings name has no such field: set another one, or update AdTiger.

    `field` is the platform's name for it; empty where the platform does not tell.
    """

    code = "field_gone"

    def __init__(self, message: str, *, field: str = "", **facts: Any) -> None:
        super().__init__(f"{message}: {field}" if field else message, **facts)
        self.field = field


class RangeTooOld(InvalidRequest):
    """The days asked for lie beyond what the platform keeps: ask from a later day on."""

    code = "range_too_old"


class TooMuchData(ProviderError):
    """The answer would be too large: ask for less at once (a smaller page, fewer fields)."""

    code = "too_much_data"
    category = Category.UNKNOWN


class CursorExpired(ProviderError):
    """The page cursor is no longer known: read this stream again from its beginning."""

    code = "cursor_expired"
    category = Category.UNKNOWN


class BudgetSpent(Exception):
    """Our own budget allows no call now; nothing was sent. `retry_at` is unix seconds.

    `reason` is a sentence part for people: "act_123 may make 10 calls a minute".
    """

    def __init__(self, reason: str, *, retry_at: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_at = retry_at


class CircuitOpen(Exception):
    """The platform is down, for everybody: come back at `retry_at` (unix seconds).

    Raised before a call, or in place of the error of one that met what others had met. `reason` is a
    sentence part for people: "Meta's campaigns do not answer".
    """

    def __init__(self, reason: str, *, retry_at: float) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_at = retry_at


class ReportPending(Exception):
    """The platform still prepares what was asked for: ask again with `cursor`, after `retry_after` seconds.

    No failure, and nobody waits for it: `cursor` may be stored. `report_id` is the platform's own, by which
    it may tell that the report is ready.
    """

    def __init__(self, cursor: str, *, retry_after: float, report_id: str) -> None:
        super().__init__("the platform prepares a report")
        self.cursor = cursor
        self.retry_after = retry_after
        self.report_id = report_id


RETRYABLE: tuple[type[ProviderError], ...] = (Unreachable, PlatformFault, UnknownError, TooMuchData)
