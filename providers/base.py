"""What a platform's client offers to its caller, and what it needs from it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from providers.errors import Scope
from providers.records import AdAccountRecord, Edit, InsightPage, InsightSlice, Page, Stream

FULL = 100.0  # percent


class Reading(NamedTuple):
    """One of the platform's own meters, as an answer told it."""

    scope: Scope
    percent: float  # may pass 100; a meter that blocks is at least full
    span: float  # seconds in which the platform forgets what it counted
    use_case: str = ""
    regain_after: float = 0.0  # seconds until a full one lets calls through again; 0: not told


class Usage(NamedTuple):
    """What one answer said about the platform's own limits, errors included."""

    readings: tuple[Reading, ...] = ()  # none: unknown, not zero
    tier: str = ""  # what the platform calls the access that the app has
    failed: bool | None = None  # whether the answer was an error; None: there was no answer

    @property
    def percent(self) -> float | None:
        """Of the fullest meter."""
        return max((reading.percent for reading in self.readings), default=None)

    @property
    def regain_after(self) -> float | None:
        """Seconds until all full meters let calls through again, where it says so."""
        told = [one.regain_after for one in self.readings if one.percent >= FULL and one.regain_after]
        return max(told, default=None)


class Gate(Protocol):
    """Asked before each call and told after it. Implemented by `providers.budget`."""

    def take(self, use_case: str = "") -> str:
        """Take one call from every window that applies, or raise `BudgetSpent`. Returns a ticket.

        `use_case` is the platform's name for what the call is for, where it meters that apart.
        """

    def settle(self, ticket: str, usage: Usage) -> None:
        """Tell that the call of `ticket` was answered (or failed), and what the answer said."""


class Breaker(Protocol):
    """Asked before each call whether its endpoint answers at all. Implemented by `providers.breaker`."""

    def watching(self, endpoint: str) -> AbstractContextManager[Callable[[], object]]:
        """Around one call and the reading of its answer; raises `CircuitOpen`, also in place of the call's
        own error. What it yields is called when a long answer proves good before its end."""


class NoBreaker:
    """Watches nothing: for calls that a person waits for, where no attempt can be saved."""

    def watching(self, endpoint: str) -> AbstractContextManager[Callable[[], object]]:
        """Lets the call be made."""
        return nullcontext(lambda: None)


class TokenStore(Protocol):
    """Where a short-lived access token is kept between clients."""

    def load(self) -> str | None:
        """The token, unless there is none that lives at least another minute."""

    def save(self, token: str, lifetime: float) -> None:
        """Keep a token that lives `lifetime` seconds."""


@dataclass(frozen=True)
class Grant:
    """What a user gave: Meta's access token, Google's refresh token. Its repr hides it."""

    secret: str = field(repr=False)
    tokens: TokenStore | None = field(default=None, repr=False)


class AdAccountRef(NamedTuple):
    """What a client has to know of the ad account that it reads."""

    external_id: str  # Meta: `act_<digits>`; Google: digits
    currency: str = ""  # left empty, the client asks the platform where it needs it; as the time zone
    time_zone: str = ""
    login_customer_id: str = ""


class Selection(NamedTuple):
    """Which part of an account a sync reads; the default is all of it."""

    campaign_ids: tuple[str, ...] = ()
    ad_group_ids: tuple[str, ...] = ()
    ad_ids: tuple[str, ...] = ()
    with_children: bool = True  # of what is named, also what is below it
    since: datetime | None = None  # only what the platform says was updated after it

    @property
    def is_all(self) -> bool:
        """Whether nothing narrows it."""
        return self == Selection()


class Client(Protocol):
    """One ad account at one platform.

    Every method makes its calls through the gate and the breaker, and raises `BudgetSpent`, `CircuitOpen`
    or a `ProviderError`, never what the network raises. A client never sleeps and never retries: that is
    the caller's decision. Only what helps at once is asked again, each time through the gate: a smaller
    page, a renewed access token. It serves one thread at a time.
    """

    @property
    def calls(self) -> int:
        """Made so far, for the attempt's record."""

    @property
    def ids_per_call(self) -> int:
        """How many ids `fetch` asks for with one call."""

    @property
    def rows_per_call(self) -> int | None:
        """How many records of a stream one call reads; None: as many as there are."""

    def account(self) -> AdAccountRecord:
        """Describe the ad account itself."""

    def accounts(self) -> Iterator[AdAccountRecord]:
        """Every ad account that the grant reaches; one that can't be read stops no other."""

    def changed(self, since: datetime) -> Selection | None:
        """What changed after `since`, as a selection to read; None where only a full pass can tell.

        A selection without ids and without `since` says that nothing changed. How late the platform's own log
        tells a change is allowed for; that clocks differ is the caller's to allow for.
        """

    def changes_by(self, since: datetime, until: datetime) -> Iterator[Edit]:
        """Who changed what between two moments, the oldest first, as the platform's own log tells it.

        Raises `TooMuchData` behind the last one that is told, where the log is longer.
        """

    def pages(self, stream: Stream, *, selection: Selection, cursor: str | None = None) -> Iterator[Page]:
        """Read a stream page by page, from its beginning or after `cursor`.

        All statuses are read, archived and removed ones too. A stream of which nothing is selected is one
        empty page, without a call.
        """

    def insights(
        self,
        slice: InsightSlice,
        *,
        attribution: str = "",
        cursor: str | None = None,
        expected_rows: int = 0,
    ) -> Iterator[InsightPage]:
        """Read a slice page by page, from its beginning or after `cursor`.

        `attribution` is one of `providers.registry.ATTRIBUTIONS`; empty means the platform's default.
        `expected_rows`: about how many will come; a platform may prepare a large answer before it gives it.
        Raises `ReportPending` while it does, `TooMuchData` where fewer days, or `narrower` slices, may be
        answered, and `RangeTooOld` for days that the platform no longer keeps.
        """

    def narrower(self, slice: InsightSlice) -> list[InsightSlice]:
        """Of a slice of a single day that was too much, the parts that may be answered: together all of it,
        and each row in one of them. Empty where it can't be divided any more. May make calls."""

    def fetch(self, stream: Stream, external_ids: list[str]) -> list[str]:
        """Of these ids, the ones that the platform still knows (the second look before a removal)."""
