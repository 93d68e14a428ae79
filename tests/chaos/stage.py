"""The stage of all scenarios: servers, sandbox and fleet of one home, up and healthy between them."""

import time
from collections.abc import Callable
from pathlib import Path

from adtiger.up.processes import end_leftover
from providers.sandbox.process import Sandbox
from tests.chaos.fleet import GRACE, Fleet
from tests.chaos.servers import Servers

LATENCY = 0.05  # seconds that the platforms think about a call: long enough to be broken in
GLANCE = 0.1  # seconds between two looks at the fleet
READY_SECONDS = 60.0  # a slow machine's cold start of two workers takes 15


class Stage:
    """What scenarios act on."""

    def __init__(self, home: Path, servers: Servers, sandbox: Sandbox) -> None:
        self.home = home
        self.servers = servers
        self.sandbox = sandbox
        self.fleet = Fleet(home)

    def calm(self) -> None:
        """The platforms behave, and nothing is slow."""
        self.sandbox.reset()
        self.sandbox.control("settings", latency={"meta": LATENCY, "google": LATENCY})
        self.servers.relay.delay = 0

    def wait(self, seconds: float) -> None:
        """Let time pass, and the fleet be tended."""
        self.wait_until(lambda: False, seconds)

    def wait_until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Tend the fleet until it holds; False when it does not in time."""
        ends_at = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > ends_at:
                return False
            self.fleet.tend()
            time.sleep(GLANCE)
        return True


def end_leftovers(home: Path) -> None:
    """End what an earlier life left running, when even that was killed."""
    for leftover in sorted((home / "run").glob("*.lock")):
        end_leftover(leftover, grace=GRACE)
