"""Everything one sandbox process knows."""

import asyncio
import random
import time
from collections import Counter
from dataclasses import dataclass, field

from providers.sandbox.constants import Platform
from providers.sandbox.edits import Vanished
from providers.sandbox.faults import Faults
from providers.sandbox.grants import Grants
from providers.sandbox.latency import Latency
from providers.sandbox.ledger import Clock, Ledger
from providers.sandbox.meta_reports import Reports
from providers.sandbox.world import World


def steady_clock() -> Clock:
    """Unix time that never goes back: the ledger's windows depend on it."""
    offset = time.time() - time.monotonic()
    return lambda: offset + time.monotonic()


@dataclass
class Settings:
    """What the control endpoint may change while the sandbox runs."""

    require_appsecret_proof: bool = False
    meta_tier: str = "standard_access"  # what the headers name; the limits are set apart
    # Meta refuses larger pages with "reduce the amount of data"; its figure is unpublished and depends on
    # the fields. Several hundred are known to work.
    meta_page_rows: int = 2_000
    meta_shifting_pages: bool = (
        False  # pages count rows, what was edited last comes first: an edit shifts them
    )
    # Of insights; its own figure is unpublished, too.
    meta_insight_rows: int = 5_000
    meta_report_seconds: float = 0.5  # that a report run takes
    meta_webhook_url: str = ""  # that hears of ended report runs; empty: nobody
    meta_cursor_seconds: float = 0.0  # until a page cursor is forgotten; 0: never
    clock_ahead: float = 0.0  # seconds that went by at once
    today: str = ""  # the day that insights are told on, as 2026-11-24; empty: by the clock
    google_page_rows: int = 10_000  # fixed by Google
    # Google cuts a stream by size, which is unpublished; at most as many rows as a page has.
    google_chunk_rows: int = 1_000
    google_change_delay: float = 0.0  # seconds until a change is told; Google's may be 180
    google_untold_budgets: bool = False  # a changed budget does not tell whose it is, as a shared one


@dataclass
class Sandbox:
    """The world and who may do what in it. One thread only."""

    seed: int
    clock: Clock = field(default_factory=steady_clock)
    settings: Settings = field(default_factory=Settings)
    world: World = field(default_factory=World)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - wanted: repeatable
        steady = self.clock
        self.clock = lambda: steady() + self.settings.clock_ahead
        self.ledger = Ledger(self.clock)
        self.grants = Grants(self.clock)
        self.reports = Reports(self.clock)
        self.faults = Faults(self.seed, self.clock)
        self.latency = Latency(self.seed)
        # Calls about tokens count in no window.
        self.token_calls: dict[Platform, Counter[str]] = {platform: Counter() for platform in Platform}
        self.tasks: set[asyncio.Task[None]] = set()  # under way beside the calls
        self.vanished = Vanished()
        self.cpu_begun = time.process_time()  # the referee tells what the sandbox itself took
