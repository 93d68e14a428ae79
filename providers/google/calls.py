"""Calls to Google Ads with a user's grant: streamed queries, one operation each whatever their length."""

from collections.abc import Iterator
from typing import Any

from providers.base import Breaker, Gate, Grant
from providers.errors import PlatformFault, ProviderError, ReconnectNeeded
from providers.google.config import GoogleConfig
from providers.google.errors import error_of, is_renewable, usage_of
from providers.google.oauth import AccessTokens
from providers.google.stream import Row, chunks_of
from providers.http import Answer, Dialect, Http, reading
from providers.session import Session

GOOGLE = Dialect("Google", usage_of, error_of)


class Calls:
    """Each goes through the gate and the breaker. An access token that has ended is renewed once."""

    def __init__(
        self, config: GoogleConfig, grant: Grant, *, gate: Gate, session: Session, breaker: Breaker
    ) -> None:
        self._config = config
        self._tokens = AccessTokens(config, grant, session)
        self._http = Http(session, gate, breaker, GOOGLE)

    @property
    def count(self) -> int:
        """Made so far."""
        return self._http.calls

    def accessible(self) -> list[str]:
        """The customers that the grant reaches without a manager."""
        with self._http.watching("customers"):
            body = self._call("GET", "customers:listAccessibleCustomers").json()
        with reading("Google"):
            return [name.removeprefix("customers/") for name in body.get("resourceNames", [])]

    def query(self, query: str, customer_id: str, login: str) -> Iterator[list[Row]]:
        """The rows of a query, as they arrive. `login` is the manager through whom, or empty."""
        path = f"customers/{customer_id}/googleAds:searchStream"
        with self._http.watching("queries") as answers:
            for rows in self._read(self._call("POST", path, login, json={"query": query})):
                answers()  # a stream that breaks later is one stream's fault
                yield rows

    def _call(self, method: str, path: str, login: str = "", **request: Any) -> Answer:
        """Call with the current access token, and once more with a new one where that may help."""
        url, headers = f"{self._config.base}/{path}", self._headers(login)
        try:
            return self._http.open(method, url, token=self._tokens.current(), headers=headers, **request)
        except ProviderError as exc:
            if not is_renewable(exc):
                raise
        return self._http.open(method, url, token=self._tokens.renew(), headers=headers, **request)

    def _read(self, answer: Answer) -> Iterator[list[Row]]:
        """The answer's rows. A token that ends within it is renewed, for the grant may be as good as ever."""
        try:
            yield from chunks_of(answer)
        except ReconnectNeeded as exc:
            if not is_renewable(exc):
                raise
        else:
            return
        self._tokens.renew()
        raise PlatformFault("The access token ended within Google's answer")

    def _headers(self, login: str) -> dict[str, str]:
        told = {"login-customer-id": login, "developer-token": self._config.developer_token}
        return {name: value for name, value in told.items() if value}
