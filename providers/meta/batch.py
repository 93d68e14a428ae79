"""Several reads in one round trip: how each is written into a batch, and how its answer is read.

A sub-answer may lack its headers; their names vary in case; and where Meta ran out of time there is null.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

from requests.structures import CaseInsensitiveDict

from providers.errors import ProviderError, Unreachable
from providers.http import reading
from providers.lenient import loads
from providers.meta.errors import error_of

MAX_BATCH = 50  # more are refused as a whole

Reply = dict[str, Any] | ProviderError | None


class Ask(NamedTuple):
    """One read."""

    path: str
    params: dict[str, str]

    def part(self) -> dict[str, str]:
        """Its element of the batch."""
        return {"method": "GET", "relative_url": f"{self.path}?{urlencode(self.params)}"}


class SubAnswer(NamedTuple):
    """What one read was answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    @classmethod
    def of(cls, part: Any) -> Self | None:
        """From an element of the answer; None for one that was not answered."""
        if part is None:
            return None
        with reading("Meta"):
            headers = {str(one["name"]): str(one["value"]) for one in part.get("headers") or ()}
            return cls(int(part["code"]), CaseInsensitiveDict(headers), str(part.get("body") or ""))

    def read(self) -> dict[str, Any] | ProviderError:
        """The object that it holds, or its error, which is no other read's."""
        try:
            body = loads(self.text.encode())
        except ValueError:
            return Unreachable("Meta's answer was unusable (no JSON)", http_status=self.status)
        if self.status >= 400 or not isinstance(body, dict) or "error" in body:
            return error_of(self.status, body, self.headers)
        return body
