"""Faults on demand: which call gets which fault, told by the tests or drawn by seeded dice.

What a fault looks like on the wire is in `damage.py` (both platforms), `meta_faults.py` and
`google_faults.py`; what its details mean, in the README. Without a rule there is no fault.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from providers.sandbox.constants import Platform
from providers.sandbox.dice import throw
from providers.sandbox.fault_kinds import COMPANIONS, CONTINUING, ENDPOINTS, LASTING, FaultKind, check
from providers.sandbox.ledger import Clock


class Moment(NamedTuple):
    """What is known of a call when its faults are drawn."""

    platform: Platform
    account_id: str  # "" for calls about no account
    endpoint: str  # google: `search_stream:campaign`
    continues: bool = False  # has a cursor or page token
    rows: int = 0  # asked for at once
    cells: int = 0  # these rows, times the fields asked for
    fields: int = 1  # asked for
    answer: int = 0  # rows of the whole answer, insights only
    only_by_name: bool = False  # a rule must name the endpoint: calls about tokens


@dataclass
class Tally:
    """How many calls a rule was about, and how many it struck."""

    seen: int = 0
    fired: int = 0


@dataclass
class Fault:
    """One rule. `times` None means until cleared. It strikes from `after_calls` to `until_calls` of the
    calls that it is about, and from `after_seconds` to `until_seconds` of its age; with `each_account`
    every ad account has numbers and times of its own."""

    platform: Platform
    kind: FaultKind
    account: str = ""
    endpoint: str = ""
    times: int | None = 1
    probability: float = 1.0
    seed: int | str = 0
    after_calls: int = 0
    until_calls: int | None = None
    after_seconds: float = 0.0
    until_seconds: float | None = None
    each_account: bool = False
    details: dict[str, Any] = field(default_factory=dict)
    added_at: float = 0.0
    total: Tally = field(default_factory=Tally)
    accounts: defaultdict[str, Tally] = field(default_factory=lambda: defaultdict(Tally))

    def is_about(self, moment: Moment, now: float) -> bool:
        """Is the rule about such a call, at this time?"""
        age = now - self.added_at
        return (
            moment.platform == self.platform
            and self.account in ("", moment.account_id)
            and self._is_for(moment)
            and self.after_seconds <= age
            and (self.until_seconds is None or age < self.until_seconds)
            and ((self.platform, self.kind) not in CONTINUING or moment.continues)
            and ENDPOINTS.get(self.kind, moment.endpoint) == moment.endpoint
            and self._is_too_large(moment)
        )

    def _is_too_large(self, moment: Moment) -> bool:
        match self.kind:
            case FaultKind.TOO_MUCH_DATA if "cells" in self.details:
                return moment.cells > self.number("cells", 0)
            case FaultKind.TOO_MUCH_DATA:
                return moment.rows > self.number("rows", 100)
            case FaultKind.TOO_WIDE if "cells" in self.details:
                return moment.answer * moment.fields > self.number("cells", 0)
            case FaultKind.TOO_WIDE:
                return moment.answer > self.number("rows", 1_000)
        return True

    @property
    def is_late(self) -> bool:
        """Whether a report is taken, and fails."""
        return self.kind == FaultKind.TOO_WIDE and self.flag("late", default=False)

    def _is_for(self, moment: Moment) -> bool:
        if not self.endpoint:
            return not moment.only_by_name
        return self.endpoint in (moment.endpoint, *moment.endpoint.split(":"))

    def strikes(self, account_id: str, *, is_free: bool) -> bool:
        """Count a call that the rule is about; does it strike? `is_free`: no other fault has."""
        own = self.accounts[account_id]
        tally = own if self.each_account else self.total
        for counted in (own, self.total):
            counted.seen += 1
        struck = (
            is_free
            and self.after_calls < tally.seen
            and (self.until_calls is None or tally.seen <= self.until_calls)
            and (self.times is None or tally.fired < self.times)
            and throw(self.seed, account_id, own.seen) < self.probability
        )
        for counted in (own, self.total):
            counted.fired += struck
        return struck

    def number(self, name: str, default: int) -> int:
        return int(self.details.get(name, default))

    def seconds(self, name: str, default: float) -> float:
        return float(self.details.get(name, default))

    def flag(self, name: str, *, default: bool) -> bool:
        return bool(self.details.get(name, default))

    def text(self, name: str, default: str) -> str:
        return str(self.details.get(name, default))


class Faults:
    """The rules in force, in the order of their adding."""

    def __init__(self, seed: int, clock: Clock) -> None:
        self._seed = seed
        self._clock = clock
        self.rules: list[Fault] = []
        self.fired: Counter[str] = Counter()  # by platform and kind, of rules that are gone, too

    def add(self, bodies: Sequence[dict[str, Any]]) -> None:
        """Rules as the control endpoint's JSON tells them, all or none. Each has dice of its own: `seed`,
        or else the sandbox's seed and the rule's place."""
        added = [parse(body) for body in bodies]
        for place, (rule, body) in enumerate(zip(added, bodies, strict=True), len(self.rules)):
            rule.seed = body.get("seed", f"{self._seed}/{place}")
            rule.added_at = self._clock()
        self.rules += added

    def draw(self, moment: Moment) -> list[Fault]:
        """The faults of this call: any number of companions, and the first of the others."""
        if not self.rules:
            return []
        drawn = list(self._struck(moment, self._clock()))
        self.fired.update(f"{fault.platform}/{fault.kind}" for fault in drawn)
        return drawn

    def _struck(self, moment: Moment, now: float) -> Iterator[Fault]:
        is_free = True
        for rule in self.rules:
            if not rule.is_about(moment, now):
                continue
            is_companion = rule.kind in COMPANIONS
            if rule.strikes(moment.account_id, is_free=is_free or is_companion):
                is_free = is_free and is_companion
                yield rule

    def told(self) -> list[dict[str, Any]]:
        """Each rule and how often it struck, as JSON."""
        return [
            {
                name: value
                for name, value in vars(rule).items()
                if name not in ("accounts", "total", "added_at")
            }
            | {"seen": rule.total.seen, "fired": rule.total.fired}
            for rule in self.rules
        ]

    def clear(self) -> None:
        """No faults from now on."""
        self.rules.clear()


_FIELDS = {
    "account": str,
    "endpoint": str,
    "times": int,
    "probability": float,
    "after_calls": int,
    "until_calls": int,
    "after_seconds": float,
    "until_seconds": float,
    "each_account": bool,
}


def parse(body: dict[str, Any]) -> Fault:
    """A rule out of JSON. What is no field of a rule must be a detail of its kind."""
    kind = FaultKind(body["kind"])
    by_default = None if kind in LASTING or "probability" in body or "until_seconds" in body else 1
    given: dict[str, Any] = {"times": by_default}
    for name, read in _FIELDS.items():
        if name in body:
            given[name] = body[name] if body[name] is None else read(body[name])
    details = {name: body[name] for name in body.keys() - _FIELDS.keys() - {"platform", "kind", "seed"}}
    check(kind, Platform(body["platform"]), set(details))
    if not 0 <= given.get("probability", 1.0) <= 1:
        raise ValueError(f"probability {given['probability']}: a number from 0 to 1")
    account = given.pop("account", "").removeprefix("act_")
    return Fault(Platform(body["platform"]), kind, account=account, details=details, **given)
