"""What Meta says when it refuses: always a JSON object, told apart by code and subcode."""

import secrets
from typing import Any

_MESSAGES = {
    1: "An unknown error occurred",
    2: "Service temporarily unavailable",
    4: "(#4) Application request limit reached",
    10: "(#10) Application does not have permission for this action",
    17: "User request limit reached",
    200: "(#200) Ad account owner has NOT grant ads_management or ads_read permission",
    613: "(#613) Calls to this api have exceeded the rate limit.",
    2635: "(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version.",
    2642: "(#2642) Invalid cursors values",
}

TOO_WIDE = 100, 1487534  # code and subcode
_SESSIONS = {
    458: "Error validating access token: The user has not authorized application 1029384756574839.",
    459: "Error validating access token: You cannot access the app till you log in to www.facebook.com.",
    460: "Error validating access token: The session has been invalidated because the user changed their "
    "password or Facebook has changed the session for security reasons.",
    463: "Error validating access token: Session has expired.",
    464: "Error validating access token: Sessions for the user are not allowed: the user is not confirmed.",
    467: "The access token is invalid since the user hasn't engaged the app in longer than 90 days.",
    492: "Error validating access token: The user does not have the appropriate role.",
}


class MetaError(Exception):
    """One refusal. `extra` adds fields such as `is_transient`."""

    def __init__(
        self,
        code: int,
        message: str = "",
        *,
        subcode: int | None = None,
        status: int = 400,
        kind: str = "OAuthException",
        **extra: Any,
    ) -> None:
        super().__init__(message or _MESSAGES.get(code, f"(#{code}) Request failed"))
        self.code, self.subcode, self.status, self.kind, self.extra = code, subcode, status, kind, extra

    def body(self) -> dict[str, Any]:
        error: dict[str, Any] = {"message": str(self), "type": self.kind, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        return {"error": error | self.extra | {"fbtrace_id": f"A{secrets.token_urlsafe(16)}"}}


def bad_parameter(message: str) -> MetaError:
    return MetaError(100, f"(#100) {message}")


def not_visible(object_id: str) -> MetaError:
    """Gone, never there, or not for this user: Meta does not tell which."""
    return MetaError(
        100,
        f"Unsupported get request. Object with ID '{object_id}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation.",
        subcode=33,
        kind="GraphMethodException",
    )


def invalid_session(subcode: int) -> MetaError:
    """A token that was good once."""
    return MetaError(190, _SESSIONS.get(subcode, "Error validating access token."), subcode=subcode)


def unparsable_token() -> MetaError:
    return MetaError(190, "Invalid OAuth access token - Cannot parse access token")


def too_much_data() -> MetaError:
    return MetaError(
        1, "Please reduce the amount of data you're asking for, then retry your request", status=500
    )


def too_wide() -> MetaError:
    """Insights that no way of asking gives."""
    code, subcode = TOO_WIDE
    return MetaError(code, "(#100) The number of data points is too large. Ask for less.", subcode=subcode)


def account_score_spent() -> MetaError:
    """The ad account's score of reads and writes over minutes."""
    return MetaError(
        17,
        subcode=2446079,
        is_transient=False,
        error_user_title="Ad Account Has Too Many API Calls",
        error_user_msg="There have been too many calls to this ad account. Wait a bit and try again.",
    )


def use_case_limit(code: int) -> MetaError:
    """A business use case's hourly calls: 80000 insights, 80004 management and so on."""
    message = f"(#{code}) There have been too many calls to this ad-account. Wait a bit and try again."
    return MetaError(code, message, subcode=2446079)
