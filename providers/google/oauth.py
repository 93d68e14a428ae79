"""Access tokens out of a refresh token. These calls are no operations of the Ads API, so no gate counts
them."""

from collections.abc import Mapping
from typing import Any

from providers.base import Grant
from providers.errors import (
    InvalidRequest,
    PlatformFault,
    ProviderError,
    ReconnectNeeded,
    UnknownError,
    plain,
)
from providers.google.config import GoogleConfig
from providers.http import reading, send
from providers.session import Session

# What RFC 6749 and Google's token endpoint call them. Any other is unknown, and so retried.
RULES: dict[str, type[ProviderError]] = {
    "access_denied": ReconnectNeeded,
    "admin_policy_enforced": ReconnectNeeded,
    "invalid_grant": ReconnectNeeded,  # expired, revoked, or the password changed
    "invalid_client": InvalidRequest,
    "invalid_request": InvalidRequest,
    "invalid_scope": InvalidRequest,
    "unauthorized_client": InvalidRequest,
    "unsupported_grant_type": InvalidRequest,
    "internal_failure": PlatformFault,
    "temporarily_unavailable": PlatformFault,
}
WORDS: dict[type[ProviderError], str] = {
    InvalidRequest: "Google's token service refuses the application: check its client id and secret",
    PlatformFault: "Google's token service failed for a moment",
    ReconnectNeeded: "Google no longer accepts the refresh token: connect the ad account again",
    UnknownError: "Google's token service answered with an error that AdTiger does not know",
}


class AccessTokens:
    """The grant's current access token, kept in its store so that runs share it."""

    def __init__(self, config: GoogleConfig, grant: Grant, session: Session) -> None:
        self._config = config
        self._grant = grant
        self._session = session
        self._token: str | None = None

    def current(self) -> str:
        """A token that should work."""
        if self._token is None and self._grant.tokens is not None:
            self._token = self._grant.tokens.load()
        return self._token or self.renew()

    def renew(self) -> str:
        """Buy a new one, whatever is kept."""
        form = {
            "grant_type": "refresh_token",
            "client_id": self._config.client_id,
            "client_secret": self._config.client_secret,
            "refresh_token": self._grant.secret,
        }
        url = f"{self._config.oauth_url.rstrip('/')}/token"
        answer = send(self._session, "Google", "POST", url, data=form)
        body = answer.json()
        if answer.status >= 300:
            raise _error_of(answer.status, body)
        with reading("Google"):
            token, lifetime = str(body["access_token"]), float(body["expires_in"])
        self._token = token
        if self._grant.tokens is not None:
            self._grant.tokens.save(token, lifetime)
        return token


def _error_of(status: int, body: Any) -> ProviderError:
    """Its `error_description` is left out: nothing says what it may hold."""
    code = str(body.get("error", "")) if isinstance(body, Mapping) else ""
    code = plain(code)
    known = RULES.get(code)
    kind = known or (PlatformFault if status >= 500 else UnknownError)
    facts: dict[str, Any] = {"platform_code": code or str(status), "is_known": known is not None}
    return kind(f"{WORDS[kind]} ({code or status})", http_status=status, **facts)
