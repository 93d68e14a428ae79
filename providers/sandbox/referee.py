"""The referee's report: what was called, and whether any sliding window ever held too many calls.

Guarantee: every call that reached the sandbox is in it, whatever was answered, so it never judges a
client too kindly. The counting is the ledger's; what a fault costs at the platform, the README's.
"""

import resource
import time
from collections.abc import Iterable
from typing import Any

from providers.sandbox.constants import Platform
from providers.sandbox.ledger import WHOLES, Ledger, Limit, Subject
from providers.sandbox.state import Sandbox

Body = dict[str, Any]
EACH = "account"  # in a list of limits: of every ad account


def calls(sandbox: Sandbox, body: Body) -> Body:
    """Per subject what was called, and the highest count of its limits' windows and of each of `watch`
    (10/60,200/3600). `platform` and `account` choose, `arrivals` adds the times."""
    watch = [Limit.parse(part) for part in str(body.get("watch", "")).split(",") if part]
    told = {}
    for subject in _chosen(sandbox.ledger, body):
        told[subject.name] = _subject(sandbox.ledger, subject, watch)
        if body.get("arrivals") == "true":
            told[subject.name]["arrivals"] = sandbox.ledger.arrivals(subject)
    exceeded = [name for name, report in told.items() if any(w["exceeded"] for w in report["windows"])]
    return {"subjects": told, "exceeded": exceeded}


def _chosen(ledger: Ledger, body: Body) -> list[Subject]:
    platforms = [Platform(body["platform"])] if "platform" in body else list(Platform)
    accounts = [str(body["account"]).removeprefix("act_")] if body.get("account") else []
    return [
        s
        for s in ledger.subjects()
        if s.platform in platforms and s.account_id in (accounts or [s.account_id])
    ]


def _subject(ledger: Ledger, subject: Subject, watch: Iterable[Limit]) -> Body:
    windows = []
    for limit in (*ledger.limits_of(subject), *watch):
        held = ledger.fullest(subject, limit)
        windows.append(
            {
                "calls": limit.calls,
                "seconds": limit.seconds,
                "highest": held.highest,
                "exceeded": held.exceeded > 0,
            }
        )
    return ledger.counts(subject) | {"windows": windows}


def report(sandbox: Sandbox, body: Body) -> Body:
    """All of it in one answer. `limits` are those to judge by, as `{"meta": {"account": [[calls, seconds]],
    "app": …, "<one account>": …}, "google": {…, "project": …}}`; without them, the sandbox's own."""
    ledger = sandbox.ledger
    judged = _given(ledger, body["limits"]) if "limits" in body else _own(ledger)
    windows = [_window(ledger, name, limit, subjects) for (name, limit), subjects in judged.items()]
    return {
        "seconds": ledger.seconds,
        "process": {
            "cpu_seconds": time.process_time() - sandbox.cpu_begun,
            "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        },
        "platforms": {platform: _platform(sandbox, platform) for platform in Platform},
        "windows": windows,
        "exceeded": sum(window["exceeded"] for window in windows),
    }


def _platform(sandbox: Sandbox, platform: Platform) -> Body:
    """The app or project saw every call."""
    accounts = [s for s in sandbox.ledger.subjects() if s.platform == platform and s.account_id]
    faults = {
        name.partition("/")[2]: count
        for name, count in sandbox.faults.fired.items()
        if name.startswith(f"{platform}/")
    }
    token_calls = dict(sandbox.token_calls[platform])
    counts = sandbox.ledger.counts(Subject(platform, ""))
    return counts | {"accounts": len(accounts), "token_calls": token_calls, "faults": faults}


Judged = dict[tuple[str, Limit], list[Subject]]  # a limit, by whose it is, and all that it holds for


def _given(ledger: Ledger, told: dict[str, dict[str, list[list[float]]]]) -> Judged:
    judged: Judged = {}
    for platform_name, limits in told.items():
        platform = Platform(platform_name)
        for whose, pairs in limits.items():
            for calls, seconds in pairs:
                name = f"{platform}/{whose.removeprefix('act_')}"
                judged[name, Limit(int(calls), float(seconds))] = _named(ledger, platform, whose)
    return judged


def _named(ledger: Ledger, platform: Platform, whose: str) -> list[Subject]:
    if whose == EACH:
        return [s for s in ledger.subjects() if s.platform == platform and s.account_id]
    account_id = "" if whose == WHOLES[platform] else whose.removeprefix("act_")
    if account_id and not account_id.isdigit():
        raise ValueError(
            f"limits of {platform}/{whose}: name {EACH!r}, {WHOLES[platform]!r} or the id of an ad account"
        )
    return [Subject(platform, account_id)]


def _own(ledger: Ledger) -> Judged:
    judged: Judged = {}
    for subject in ledger.subjects():
        common = subject.account_id and subject not in ledger.limits
        name = f"{subject.platform}/{EACH}" if common else subject.name
        for limit in ledger.limits_of(subject):
            judged.setdefault((name, limit), []).append(subject)
    return judged


def _window(ledger: Ledger, name: str, limit: Limit, subjects: list[Subject]) -> Body:
    """One limit over all subjects that it holds for: the fullest of them, and who had too many."""
    held = {subject.name: ledger.fullest(subject, limit) for subject in subjects}
    worst = max(held, key=lambda subject: held[subject].highest, default="")
    return {
        "whose": name,
        "calls": limit.calls,
        "seconds": limit.seconds,
        "highest": held[worst].highest if worst else 0,
        "at": worst,
        "exceeded": sum(found.exceeded for found in held.values()),
        "exceeded_at": [subject for subject, found in held.items() if found.exceeded],
    }


def forget(sandbox: Sandbox, _: Body) -> Body:
    """Begin anew: no calls were seen. Faults and latency stay as they are."""
    sandbox.ledger.reset()
    sandbox.cpu_begun = time.process_time()
    sandbox.faults.fired.clear()
    for counted in sandbox.token_calls.values():
        counted.clear()
    return {"forgotten": True}
