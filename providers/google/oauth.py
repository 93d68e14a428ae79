"""Access tokens out of a refresh token. These calls are no operations of the Ads API."""

import requests

from providers.base import Grant
from providers.errors import PlatformFault, ReconnectNeeded, Unreachable
from providers.google.config import GoogleConfig
from providers.http import CONNECT_SECONDS, READ_SECONDS


class AccessTokens:
    """The grant's current access token, kept in its store so that runs share it."""

    def __init__(self, config: GoogleConfig, grant: Grant, session: requests.Session) -> None:
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
        """Fetch a new one, whatever is kept."""
        form = {
            "grant_type": "refresh_token",
            "client_id": self._config.client_id,
            "client_secret": self._config.client_secret,
            "refresh_token": self._grant.secret,
        }
        body = self._post(form)
        self._token = str(body["access_token"])
        if self._grant.tokens is not None:
            self._grant.tokens.save(self._token, float(body.get("expires_in", 0)))
        return self._token

    def _post(self, form: dict[str, str]) -> dict[str, str]:
        try:
            response = self._session.post(
                f"{self._config.oauth_url.rstrip('/')}/token",
                data=form,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
            )
            body = response.json()
        except requests.RequestException as exc:  # its JSON errors are among them
            raise Unreachable(f"Google's token service could not be reached ({type(exc).__name__})") from None
        if response.status_code >= 500:
            raise PlatformFault("Google's token service failed", http_status=response.status_code)
        if not isinstance(body, dict) or "access_token" not in body:
            code = str(body.get("error", "")) if isinstance(body, dict) else ""
            raise ReconnectNeeded(
                f"Google no longer accepts the refresh token: connect the ad account again ({code})",
                platform_code=code,
                http_status=response.status_code,
            )
        return body
