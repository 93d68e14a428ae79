"""HTTP to a platform: one metered call, whose failures leave as `ProviderError`.

Guarantee: every call is taken from the gate before it is sent and settled at its answer, whatever
happens; redirects are not followed, so a token goes to no other host; and no error holds a URL, a
header or a body, nor an exception that does. Waiting and retrying are the caller's.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, NamedTuple

import urllib3

from providers.base import Breaker, Gate, Usage
from providers.errors import (
    BudgetSpent,
    InvalidRequest,
    PlatformFault,
    ProviderError,
    ReconnectNeeded,
    Unreachable,
)
from providers.lenient import loads
from providers.session import NOTHING, UNSENT, Session

CONNECT_SECONDS = 5  # a reachable platform answers within one
READ_SECONDS = 30  # silence, not duration: a heavy page may think this long before its first byte
CALL_SECONDS = CONNECT_SECONDS + READ_SECONDS  # the longest from taking a call to its answer's headers
BODY_SECONDS = 60  # for a body that is read as a whole: 500 rows come in one or two
BODY_BYTES = 64 * 2**20  # of such a body, unpacked: ten times the largest page; it becomes ten times as much
BLOCK = 65_536  # bytes per read at most; a whole TLS record is a quarter of it

_TOKEN = re.compile(r"[\x21-\x7e]+")  # what a header can carry; the rest is a slip of copy and paste


class Dialect(NamedTuple):
    """How a platform speaks: its name, and where its answers hold usage and errors."""

    name: str
    usage_of: Callable[[Mapping[str, str]], Usage]
    error_of: Callable[[int, Any, Mapping[str, str]], ProviderError]


@contextmanager
def reading(platform: str) -> Iterator[None]:
    """Around what takes an answer apart: what it lacks is worth a retry, and no defect of ours."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise PlatformFault(
            f"{platform} answered in a form that AdTiger does not know ({type(exc).__name__})"
        ) from None  # its text may hold a part of the body


class Answer:
    """What came back: status and headers at once, the body as it is read. Close it, or read it whole."""

    def __init__(self, platform: str, response: urllib3.BaseHTTPResponse) -> None:
        self._platform = platform
        self._response = response
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers

    def blocks(self) -> Iterator[bytes]:
        """The body, piece by piece as it arrives."""
        while block := self._read():
            yield block

    def json(self) -> Any:
        """The whole body, decoded."""
        deadline = time.monotonic() + BODY_SECONDS
        body = bytearray()
        for block in self.blocks():
            body += block
            if time.monotonic() > deadline:  # a slow drip is never silent, and would hold its slot for ever
                self.close()
                raise self.broken("too slow")
            if len(body) > BODY_BYTES:  # packed, a few KB can be as much as the worker's memory
                self.close()
                raise self.broken("too long")
        with suppress(ValueError):  # a proxy's HTML page, "Service Unavailable", half an answer
            return loads(body)
        raise self.broken("no JSON")

    def broken(self, how: str) -> Unreachable:
        """The error for an answer that nothing can be read from."""
        return Unreachable(f"{self._platform}'s answer was unusable ({how})", http_status=self.status)

    def close(self) -> None:
        """Give up the rest of the body, and with it the connection."""
        self._response.close()
        self._response.release_conn()

    def _read(self) -> bytes:
        try:
            block: bytes = self._response.read1(BLOCK, decode_content=True)
        except urllib3.exceptions.HTTPError as exc:
            how = type(exc).__name__
        else:
            return block
        self.close()
        raise self.broken(how)


def send(
    session: Session,
    platform: str,
    method: str,
    url: str,
    *,
    token: str = "",
    headers: Mapping[str, str] = NOTHING,
    **request: Any,
) -> Answer:
    """Send one request and return its answer, whatever that says; for calls that are not metered."""
    if token and not _TOKEN.fullmatch(token):
        raise ReconnectNeeded(f"What was given as {platform}'s token can't be one: connect again")
    headers = {**headers, "Authorization": f"Bearer {token}"} if token else headers
    timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS)
    try:
        response = session.open(method, url, headers=headers, timeout=timeout, **request)
    except UNSENT as exc:
        failure = type(exc).__name__
    else:
        return Answer(platform, response)
    # Raised out here: inside, it would keep the other exception, with its URL and headers, as its context.
    raise Unreachable(f"{platform} could not be reached ({failure})")


class Http:
    """Metered calls in one platform's dialect. `calls` counts them."""

    def __init__(self, session: Session, gate: Gate, breaker: Breaker, dialect: Dialect) -> None:
        self._session = session
        self._gate = gate
        self._breaker = breaker
        self._dialect = dialect
        self.calls = 0

    def json(
        self, method: str, url: str, *, endpoint: str, token: str, use_case: str = "", **request: Any
    ) -> dict[str, Any]:
        """Make a call and return the object that it answers; an answer that is an error is raised."""
        with self.watching(endpoint):
            answer = self.open(method, url, token=token, use_case=use_case, **request)
            body = answer.json()
            if not isinstance(body, dict):
                raise answer.broken("no JSON object")
            if "error" in body:  # also seen with status 200
                raise self.error(answer, body)
            return body

    def watching(self, endpoint: str) -> AbstractContextManager[Callable[[], object]]:
        """Around a call that is opened and read by hand; see `providers.base.Breaker`."""
        return self._breaker.watching(endpoint)

    def open(self, method: str, url: str, *, token: str, use_case: str = "", **request: Any) -> Answer:
        """Make a call and return its answer with the body still to be read; inside `watching`."""
        with self.metered(use_case) as usages:
            answer = self.send(method, url, token=token, **request)
            usages[0] = self.usage_of(answer.status, answer.headers)
        self.check(answer)
        return answer

    @contextmanager
    def metered(self, use_case: str, *, at_most: int = 1) -> Iterator[list[Usage]]:
        """Around calls that go out together: as many as the gate gives now, at least one. What each answer
        said is put in its place of the list; all are settled at the end, whatever happens."""
        tickets = [self._gate.take(use_case)]
        usages = [Usage()]
        try:
            with suppress(BudgetSpent):
                while len(tickets) < at_most:
                    tickets.append(self._gate.take(use_case))
                    usages.append(Usage())
            self.calls += len(tickets)
            yield usages
        finally:
            for ticket, usage in zip(tickets, usages, strict=True):
                self._gate.settle(ticket, usage)

    def send(self, method: str, url: str, *, token: str, **request: Any) -> Answer:
        """Send what was metered."""
        return send(self._session, self._dialect.name, method, url, token=token, **request)

    def usage_of(self, status: int, headers: Mapping[str, str]) -> Usage:
        """What an answer said of the platform's limits."""
        return self._dialect.usage_of(headers)._replace(failed=status >= 400)

    def check(self, answer: Answer) -> None:
        """Raise what an answer's status says; only the body of a good one is left to be read."""
        if 300 <= answer.status < 400:
            answer.close()
            raise InvalidRequest(
                f"{self._dialect.name} redirects elsewhere: check the URL in the settings",
                http_status=answer.status,
            )
        if answer.status >= 400:
            raise self.error(answer, answer.json())

    def error(self, answer: Answer, body: Any) -> ProviderError:
        """The error that an answer tells of."""
        with reading(self._dialect.name):
            return self._dialect.error_of(answer.status, body, answer.headers)
