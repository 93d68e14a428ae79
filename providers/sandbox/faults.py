"""Faults on demand: which call gets which fault, told by the tests and drawn by seeded dice.

What a fault looks like on the wire is in `damage.py` (both platforms), `meta_faults.py` and
`google_faults.py`.
"""

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from providers.sandbox.constants import Platform


class FaultKind(StrEnum):
    """Each with the details it reads, and their defaults."""

    RATE_LIMIT = (
        "rate_limit"  # meta: code 17, minutes 5; google: name RESOURCE_EXHAUSTED, retry_after 30, scope
    )
    SERVER_ERROR = "server_error"  # status 500
    PLATFORM_ERROR = "platform_error"  # meta: code, subcode, status 400; google: family, name, status 400
    TOO_MUCH_DATA = "too_much_data"  # meta: above `rows` 100 asked for at once
    HTML = "html"  # status 502: a page of the server in front
    CUT = "cut"  # parts 0: the connection drops after so many parts of the answer
    TRUNCATED = "truncated"  # half of the body, ended as if it were all
    STREAM_ERROR = "stream_error"  # google: an error object after `parts` 1 good chunks
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - google: the access token only
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - for good; meta: subcode 460
    ACCESS_DENIED = "access_denied"  # meta: code 200; google: name USER_PERMISSION_DENIED
    EXPIRED_CURSOR = "expired_cursor"  # only calls that continue a listing
    SLOW = "slow"  # seconds 1; with pause: between the parts, too
    REPEAT_ROWS = "repeat_rows"  # meta: a page begins with the last `rows` 1 of the page before it
    HIDE_ROWS = "hide_rows"  # the last `rows` 1 of the page or answer are left out


# Until cleared, for these are about the account or its size, not about one call.
LASTING = frozenset({FaultKind.ACCESS_DENIED, FaultKind.TOO_MUCH_DATA})


class Moment(NamedTuple):
    """What is known of a call when its faults are drawn."""

    platform: Platform
    account_id: str  # "" for calls about no account
    endpoint: str  # google: `search_stream:campaign`
    continues: bool = False  # has a cursor or page token
    rows: int = 0  # asked for at once


@dataclass
class Fault:
    """One rule. `times` None means until cleared; `after_calls` lets so many matching calls pass first."""

    platform: Platform
    kind: FaultKind
    account: str = ""
    endpoint: str = ""
    times: int | None = 1
    probability: float = 1.0
    after_calls: int = 0
    details: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    fired: int = 0

    @classmethod
    def parse(cls, body: dict[str, Any]) -> "Fault":
        """From the control endpoint's JSON; what is no field of a rule is a detail of its kind."""
        rule = dict(body)
        kind = FaultKind(rule.pop("kind"))
        by_default = None if kind in LASTING or "probability" in rule else 1
        return cls(
            platform=Platform(rule.pop("platform")),
            kind=kind,
            account=str(rule.pop("account", "")).removeprefix("act_"),
            endpoint=rule.pop("endpoint", ""),
            times=rule.pop("times", by_default),
            probability=rule.pop("probability", 1.0),
            after_calls=rule.pop("after_calls", 0),
            details=rule,
        )

    def matches(self, moment: Moment) -> bool:
        """Is the rule about such a call, and not used up?"""
        return (
            moment.platform == self.platform
            and self.account in ("", moment.account_id)
            and self.endpoint in ("", moment.endpoint, *moment.endpoint.split(":"))
            and (self.times is None or self.fired < self.times)
            and (self.kind not in (FaultKind.EXPIRED_CURSOR, FaultKind.REPEAT_ROWS) or moment.continues)
            and (self.kind != FaultKind.TOO_MUCH_DATA or moment.rows > self.number("rows", 100))
        )

    def number(self, name: str, default: int) -> int:
        return int(self.details.get(name, default))

    def seconds(self, name: str, default: float) -> float:
        return float(self.details.get(name, default))

    def text(self, name: str, default: str) -> str:
        return str(self.details.get(name, default))


class Faults:
    """The rules in force."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self.rules: list[Fault] = []

    def draw(self, moment: Moment) -> list[Fault]:
        """The faults of this call: any number of slow ones, and the first of the others."""
        drawn: list[Fault] = []
        for rule in self.rules:
            if not rule.matches(moment):
                continue
            rule.seen += 1
            taken = rule.kind != FaultKind.SLOW and any(fault.kind != FaultKind.SLOW for fault in drawn)
            if taken or rule.seen <= rule.after_calls or self._dice.random() >= rule.probability:
                continue
            rule.fired += 1
            drawn.append(rule)
        return drawn
