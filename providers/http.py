"""HTTP to a platform: one metered call, whose failures leave as `ProviderError`.

Guarantee: every call is taken from the gate before it is sent and settled after it, whatever
happens; redirects are not followed, so a token goes to no other host; and no error holds a URL, a
header or a body. Waiting and retrying are the caller's.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import orjson
import requests
from requests.adapters import HTTPAdapter

from providers.base import Gate, Usage
from providers.errors import InvalidRequest, ProviderError, Unreachable

CONNECT_SECONDS = 5  # a reachable platform answers within one
READ_SECONDS = 30  # silence, not duration: a heavy page may think this long before its first byte
CALL_SECONDS = CONNECT_SECONDS + READ_SECONDS  # the longest from taking a call to its answer


class Dialect(NamedTuple):
    """How a platform speaks: its name, and where its answers hold usage and errors."""

    name: str
    usage_of: Callable[[Mapping[str, str]], Usage]
    error_of: Callable[[int, Any, Mapping[str, str]], ProviderError]


class FreeGate:
    """Lets every call pass: for describing an account before it has a budget."""

    def take(self) -> str:
        """Always."""
        return ""

    def settle(self, ticket: str, usage: Usage) -> None:
        """Nothing to remember."""


def new_session() -> requests.Session:
    """A pool of connections that clients may share within one thread."""
    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=4))
    session.mount("http://", HTTPAdapter(pool_maxsize=4))
    return session


class Http:
    """Metered calls in one platform's dialect. `calls` counts them."""

    def __init__(self, session: requests.Session, gate: Gate, dialect: Dialect) -> None:
        self._session = session
        self._gate = gate
        self._dialect = dialect
        self.calls = 0

    def json(self, method: str, url: str, *, headers: Mapping[str, str], **request: Any) -> Any:
        """Make a call and return its decoded body; an answer that is an error is raised."""
        response = self.open(method, url, headers=headers, **request)
        body = self._decoded(response)
        if isinstance(body, dict) and "error" in body:  # also seen with status 200
            raise self._dialect.error_of(response.status_code, body, response.headers)
        return body

    def open(
        self, method: str, url: str, *, headers: Mapping[str, str], stream: bool = False, **request: Any
    ) -> requests.Response:
        """Make a call and return the answer, of which only status and headers are looked at."""
        ticket = self._gate.take()
        self.calls += 1
        usage = Usage()
        try:
            response = self._send(method, url, headers=headers, stream=stream, **request)
            usage = self._dialect.usage_of(response.headers)
        finally:
            self._gate.settle(ticket, usage)
        if 300 <= response.status_code < 400:
            raise InvalidRequest(f"{self._dialect.name} redirects elsewhere: check the URL in the settings")
        if not response.ok:
            raise self._dialect.error_of(response.status_code, self._decoded(response), response.headers)
        return response

    def _send(self, method: str, url: str, **request: Any) -> requests.Response:
        try:
            return self._session.request(
                method, url, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False, **request
            )
        except requests.RequestException as exc:
            raise self.unreachable(exc) from None  # its text holds the URL

    def _decoded(self, response: requests.Response) -> Any:
        try:
            return orjson.loads(response.content)
        except requests.RequestException as exc:
            raise self.unreachable(exc) from None
        except orjson.JSONDecodeError:  # a proxy's HTML page, "Service Unavailable", half an answer
            raise Unreachable(
                f"{self._dialect.name} did not answer in JSON", http_status=response.status_code
            ) from None

    def unreachable(self, exc: Exception) -> Unreachable:
        """The error for a connection that failed, by the kind of failure only."""
        return Unreachable(f"{self._dialect.name} could not be reached ({type(exc).__name__})")
