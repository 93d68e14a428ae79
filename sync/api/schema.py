"""What the OpenAPI document can't see for itself: our two Bearer tokens, and how requests are refused."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiResponse

from sync.api.serializers import ErrorSerializer

REFUSALS = {
    400: "Something is wrong with the request; `details` names the fields. Or nothing is connected.",
    401: "Not signed in; or the platform no longer accepts the grant: reconnect.",
    403: "The caller's role does not allow it, or the CSRF token is missing.",
    404: "The id is unknown.",
    409: "A sync that covers this is open; `jobId` names it.",
    413: "The body is too large.",
    429: "As many manual syncs, or CSV exports, as allowed; `Retry-After` says when to ask again.",
    503: "The database does not answer.",
}


def refusals(*statuses: int) -> dict[int, OpenApiResponse]:
    """The refusals that a route may answer with."""
    return {status: OpenApiResponse(ErrorSerializer, REFUSALS[status]) for status in statuses}


class ApiTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its hook for subclasses
    """An API token."""

    target_class = "sync.api.authentication.ApiTokenAuthentication"
    name = "apiToken"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "An API token, bound to one account."}


class CronSecretScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its hook for subclasses
    """The cron secret."""

    target_class = "sync.api.cron.CronSecret"
    name = "cronSecret"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "The setting CRON_SECRET."}
