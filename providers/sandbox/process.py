"""Start a sandbox as a process of its own: for tests, the demo and benchmarks.

Guarantee: it never outlives its starter, however that ends.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
import requests

ROOT = Path(__file__).parents[2]
START_SECONDS = 30  # a start takes about one; a busy machine may take longer
STOP_SECONDS = 5


class Sandbox:
    """A running sandbox. `urls` holds the base URLs under the names of the settings."""

    def __init__(self, process: "subprocess.Popen[bytes]", urls: dict[str, str]) -> None:
        self._process = process
        self.urls = urls
        self.url = urls["url"]

    def control(self, action: str, **body: Any) -> dict[str, Any]:
        """POST to /control/<action>."""
        return _read(requests.post(f"{self.url}/control/{action}", json=body, timeout=60))

    def ask(self, action: str, **params: Any) -> dict[str, Any]:
        """GET /control/<action>."""
        return _read(requests.get(f"{self.url}/control/{action}", params=params, timeout=60))

    def truth(self, platform: str, account: str) -> dict[str, Any]:
        """What the account holds, by kind and external id."""
        return self.ask("truth", platform=platform, account=account)

    def truths(self, platform: str, accounts: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
        """The same of many accounts (by default all) in one request, by the digits of their ids."""
        chosen = {} if accounts is None else {"accounts": accounts}
        truths: dict[str, dict[str, Any]] = self.control("truths", platform=platform, **chosen)["truths"]
        return truths

    def insights(
        self, platform: str, account: str, level: str, since: str, until: str
    ) -> list[dict[str, Any]]:
        """What was delivered on these days, as it is known today; levels are the product's."""
        days = {"since": since, "until": until}
        rows: list[dict[str, Any]] = self.ask(
            "insights", platform=platform, account=account, level=level, **days
        )["rows"]
        return rows

    def calls(self, **params: Any) -> dict[str, Any]:
        """What the referee counted."""
        return self.ask("calls", **params)

    def referee(self, limits: dict[str, Any] | None = None) -> dict[str, Any]:
        """Everything that the referee counted, judged by these limits, or by the sandbox's own."""
        return self.control("referee", **({} if limits is None else {"limits": limits}))

    def fault(self, platform: str, kind: str, **rule: Any) -> dict[str, Any]:
        """Add a fault."""
        return self.control("faults", platform=platform, kind=kind, **rule)

    def reset(self) -> None:
        """Forget calls, faults and latency; accounts, tokens and limits stay."""
        self.control("reset")

    def stop(self) -> None:
        """End the process; harmless when it has ended."""
        _end(self._process)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _read(response: requests.Response) -> dict[str, Any]:
    answer: dict[str, Any] = response.json()
    if not response.ok:
        raise ValueError(f"the sandbox refused: {answer.get('error')}")
    return answer


def start(*options: str, port: int = 0, seed: int = 7) -> Sandbox:
    """Start a sandbox on a free port and wait until it listens. `options` as on the command line."""
    with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
        state = Path(folder) / "state.json"
        command = [sys.executable, "-m", "providers.sandbox", "--leash", "--state-file", str(state)]
        command += ["--port", str(port), "--seed", str(seed), *options]
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE)  # noqa: S603 - our own module
        try:
            return Sandbox(process, _await(process, state))
        except RuntimeError:
            _end(process)
            raise


def _await(process: "subprocess.Popen[bytes]", state: Path) -> dict[str, str]:
    """The base URLs, once it listens."""
    deadline = time.monotonic() + START_SECONDS
    while not state.exists():
        if process.poll() is not None:
            raise RuntimeError(f"the sandbox ended with code {process.returncode} instead of listening")
        if time.monotonic() > deadline:
            raise RuntimeError(f"the sandbox did not listen within {START_SECONDS} s")
        time.sleep(0.02)
    urls: dict[str, str] = orjson.loads(state.read_bytes())
    return urls


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ask, wait a little, insist."""
    if process.stdin is not None:
        process.stdin.close()
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
