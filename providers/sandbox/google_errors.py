"""What Google Ads says when it refuses: a google.rpc status that holds a GoogleAdsFailure."""

from typing import Any

from providers.sandbox.constants import VERSION

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_MESSAGES = {
    400: "Request contains an invalid argument.",
    401: "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
    "other valid authentication credential.",
    403: "The caller does not have permission",
    429: "Resource has been exhausted (e.g. check quota).",
    500: "Internal error encountered.",
    503: "The service is currently unavailable.",
    504: "Deadline exceeded.",
}


class GoogleError(Exception):
    """One refusal by its family (`query`, `quota`, …) and name; without a family it came from in front of
    the Ads service and has no GoogleAdsFailure."""

    def __init__(
        self,
        status: int,
        family: str,
        name: str,
        message: str = "",
        *,
        details: dict[str, Any] | None = None,
        field: str = "",
    ) -> None:
        super().__init__(message or _MESSAGES.get(status, name))
        self.status, self.family, self.name, self.details, self.field = status, family, name, details, field

    def body(self, request_id: str) -> dict[str, Any]:
        message = _MESSAGES.get(self.status, str(self))
        error: dict[str, Any] = {
            "code": self.status,
            "message": message,
            "status": STATUS_NAMES.get(self.status, "UNKNOWN"),
        }
        if self.family:
            error["details"] = [self._failure(request_id)]
        elif self.name:
            error["details"] = [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": self.name,
                    "domain": "googleapis.com",
                    "metadata": {"service": "googleads.googleapis.com"},
                }
            ]
        return {"error": error}

    def _failure(self, request_id: str) -> dict[str, Any]:
        item: dict[str, Any] = {"errorCode": {f"{self.family}Error": self.name}, "message": str(self)}
        if self.field:
            item["location"] = {"fieldPathElements": [{"fieldName": self.field}]}
        if self.details:
            item["details"] = self.details
        kind = f"type.googleapis.com/google.ads.googleads.v{VERSION}.errors.GoogleAdsFailure"
        return {"@type": kind, "errors": [item], "requestId": request_id}


def query_error(name: str, message: str) -> GoogleError:
    return GoogleError(400, "query", name, f"Error in query: {message}")


def request_error(name: str, message: str, field: str = "") -> GoogleError:
    return GoogleError(400, "request", name, message, field=field)


def access_denied(name: str = "USER_PERMISSION_DENIED") -> GoogleError:
    messages = {
        "USER_PERMISSION_DENIED": "User doesn't have permission to access customer. Note: If you're "
        "accessing a client customer, the manager's customer id must be set in the 'login-customer-id' "
        "header.",
        "CUSTOMER_NOT_ENABLED": "The customer account can't be accessed because it is not yet enabled or has "
        "been deactivated.",
    }
    return GoogleError(403, "authorization", name, messages.get(name, "The caller does not have permission."))


def exhausted(
    retry_after: int | None, scope: str, rate_name: str, *, name: str = "RESOURCE_EXHAUSTED"
) -> GoogleError:
    """A quota is spent. `scope` is ACCOUNT, or DEVELOPER for the whole project."""
    quota: dict[str, Any] = {"rateScope": scope, "rateName": rate_name}
    message = "Too many requests."
    if retry_after is not None:
        quota["retryDelay"] = f"{retry_after}s"
        message = f"Too many requests. Retry in {retry_after} seconds."
    details = {"quotaErrorDetails": quota}
    return GoogleError(429, "quota", name, message, details=details)


def too_fast() -> GoogleError:
    """The token bucket of queries a second is empty; Google gives no delay with it."""
    return GoogleError(429, "quota", "RESOURCE_TEMPORARILY_EXHAUSTED", "Too many requests. Retry later.")
