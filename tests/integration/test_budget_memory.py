"""A store that lost its memory: nothing is taken before it was told of every past call, exactly once."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from providers.base import Usage
from providers.budget import BudgetGate, BudgetStore, Limit, PastCall, Window
from providers.budget.memory import BATCH, CLAIM, EPOCH
from providers.errors import BudgetSpent
from tests.integration.valkey_server import ValkeyServer
from tests.processes import eventually

LIMIT = Limit("act_1", "act_1", (Window(5, 600),))
ANOTHER_BATCH = [PastCall("act_2", f"attempt {number}", 0, 1) for number in range(BATCH)]


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path)
    yield server
    server.close()


class Ledger:
    """What a real ledger would tell: every call that was made through the gates of this test."""

    def __init__(self, calls: int = 0) -> None:
        self.calls = calls

    def __call__(self) -> list[PastCall]:
        return [PastCall("act_1", "attempt", time.time(), self.calls)]


def gate(valkey: ValkeyServer, past_calls: Callable[[], Iterable[PastCall]]) -> BudgetGate:
    store = BudgetStore.connect(valkey.url)
    return BudgetGate(
        store, lambda _: [LIMIT], background=False, reserve=0, call_seconds=30, past_calls=past_calls
    )


def calls_until_refused(through: BudgetGate, ledger: Ledger) -> str:
    """Makes calls as long as it may; why it may not any more."""
    while True:
        try:
            ticket = through.take()
        except BudgetSpent as exc:
            return exc.reason
        ledger.calls += 1
        through.settle(ticket, Usage())


def test_a_fresh_install_calls_at_once(valkey: ValkeyServer) -> None:
    gate(valkey, list).take()


def test_a_store_that_was_flushed_is_told_of_the_calls_before_and_goes_on(valkey: ValkeyServer) -> None:
    ledger = Ledger()
    through = gate(valkey, ledger)
    for _ in range(3):
        through.settle(through.take(), Usage())
        ledger.calls += 1
    valkey.client.flushall()

    reason = calls_until_refused(through, ledger)

    assert (ledger.calls, reason) == (5, "act_1 may make 5 calls in 600 s")


def test_a_restart_without_memory_is_no_fresh_start(valkey: ValkeyServer) -> None:
    ledger = Ledger()
    through = gate(valkey, ledger)
    calls_until_refused(through, ledger)
    valkey.kill()
    with pytest.raises(BudgetSpent, match="unreachable"):
        through.take()
    valkey.start()

    calls_until_refused(through, ledger)

    assert ledger.calls == 5


def test_a_restart_from_an_older_copy_is_not_believed(valkey: ValkeyServer) -> None:
    ledger = Ledger()
    through = gate(valkey, ledger)
    through.settle(through.take(), Usage())
    ledger.calls += 1
    valkey.client.save()  # the last that reaches the disk
    calls_until_refused(through, ledger)
    valkey.kill()
    valkey.start()
    assert valkey.client.exists(EPOCH)

    calls_until_refused(through, ledger)

    assert ledger.calls == 5


def test_what_survived_a_restart_is_not_counted_beside_what_the_ledger_tells(valkey: ValkeyServer) -> None:
    ledger = Ledger()
    through = gate(valkey, ledger)
    for _ in range(3):
        through.settle(through.take(), Usage())
        ledger.calls += 1
    valkey.client.save()
    valkey.kill()
    valkey.start()

    calls_until_refused(through, ledger)

    assert ledger.calls == 5


def test_a_process_that_starts_later_finds_the_memory(valkey: ValkeyServer) -> None:
    ledger = Ledger()
    calls_until_refused(gate(valkey, ledger), ledger)

    def never() -> list[PastCall]:
        raise AssertionError("the memory is whole")

    with pytest.raises(BudgetSpent, match="may make 5 calls"):
        gate(valkey, never).take()


def test_many_that_find_it_empty_at_once_refill_it_once_and_all_go_on(valkey: ValkeyServer) -> None:
    start = threading.Barrier(8)
    ledger = Ledger(2)

    def work(_: int) -> str:
        through = gate(valkey, ledger)
        start.wait()
        try:
            return through.take() and "taken"
        except BudgetSpent as exc:
            return exc.reason

    with ThreadPoolExecutor(8) as pool:
        outcomes = sorted(pool.map(work, range(8)))

    assert outcomes == ["act_1 may make 5 calls in 600 s"] * 5 + ["taken"] * 3


def test_nothing_is_taken_while_it_is_refilled(valkey: ValkeyServer) -> None:
    refusals: list[BudgetSpent] = []

    def past() -> Iterator[PastCall]:
        with pytest.raises(BudgetSpent) as caught:
            gate(valkey, list).take()
        refusals.append(caught.value)
        yield PastCall("act_1", "attempt", time.time(), 1)

    gate(valkey, past).take()

    assert [refused.reason for refused in refusals] == ["the budget store is being refilled"]
    assert refusals[0].retry_at - time.time() < 3


@pytest.mark.parametrize("told", [[], [PastCall("act_1", "broken off", time.time(), 2), *ANOTHER_BATCH]])
def test_a_refill_that_broke_off_counts_for_nothing_and_is_done_again(
    valkey: ValkeyServer, told: list[PastCall]
) -> None:
    def broken() -> Iterator[PastCall]:
        yield from told
        raise RuntimeError("the database went away")

    with pytest.raises(RuntimeError):
        gate(valkey, broken).take()
    with pytest.raises(BudgetSpent, match="being refilled"):
        gate(valkey, list).take()
    assert 0 < valkey.client.ttl(CLAIM) <= 30
    valkey.client.delete(CLAIM)  # as it expires

    ledger = Ledger(3)
    calls_until_refused(gate(valkey, ledger), ledger)

    assert ledger.calls == 5


def test_a_flush_during_the_refill_begins_it_anew(valkey: ValkeyServer) -> None:
    ledger = Ledger(2)
    tries: list[str] = []

    def flushed_once() -> Iterator[PastCall]:
        yield from [*ledger(), *ANOTHER_BATCH]  # the first batch is written
        if not tries:
            valkey.client.flushall()
        tries.append("refill")

    calls_until_refused(gate(valkey, flushed_once), ledger)

    assert (len(tries), ledger.calls) == (2, 5)


def test_a_restart_during_the_refill_begins_it_anew(valkey: ValkeyServer) -> None:
    ledger = Ledger(2)
    tries: list[str] = []

    def restarted_once() -> Iterator[PastCall]:
        if not tries:
            valkey.client.save()
        yield from [*ledger(), *ANOTHER_BATCH]  # the first batch is written
        if not tries:
            valkey.kill()
            valkey.start()  # the claim was saved, and is there again
            assert valkey.client.exists(CLAIM)
        tries.append("refill")

    through = gate(valkey, restarted_once)
    eventually(
        lambda: "may make 5 calls" in calls_until_refused(through, ledger), seconds=10, what="a refill"
    )

    assert (len(tries), ledger.calls) == (2, 5)


def test_a_refill_that_was_taken_for_dead_does_not_replace_what_was_opened_since(
    valkey: ValkeyServer,
) -> None:
    ledger = Ledger(2)

    def late() -> Iterator[PastCall]:
        valkey.client.delete(CLAIM)  # it expired
        calls_until_refused(gate(valkey, ledger), ledger)
        yield PastCall("act_1", "attempt", time.time(), 2)

    with pytest.raises(BudgetSpent, match="may make 5 calls"):
        gate(valkey, late).take()

    assert ledger.calls == 5


def test_a_refill_that_begins_when_another_has_opened_changes_nothing(valkey: ValkeyServer) -> None:
    ledger = Ledger()
    through = gate(valkey, ledger)
    calls_until_refused(through, ledger)

    BudgetStore.connect(valkey.url).refill([])
    calls_until_refused(through, ledger)

    assert ledger.calls == 5
    assert not valkey.client.exists(CLAIM)


def test_a_call_in_flight_when_the_memory_was_lost_counts_from_its_answer(valkey: ValkeyServer) -> None:
    through = gate(valkey, list)
    ticket = through.take()
    valkey.client.flushall()
    gate(valkey, list).take()

    through.settle(ticket, Usage())

    assert BudgetStore.connect(valkey.url).meters([LIMIT])[0].used == 2


def test_a_call_answered_while_there_is_no_memory_is_left_to_the_refill(valkey: ValkeyServer) -> None:
    through = gate(valkey, list)
    ticket = through.take()
    valkey.client.flushall()

    through.settle(ticket, Usage())

    assert not list(valkey.client.scan_iter())


def test_past_calls_expire_though_nothing_is_taken_from_their_limit(valkey: ValkeyServer) -> None:
    def past() -> list[PastCall]:
        return [
            PastCall("act_2", "attempt", time.time(), 3),
            PastCall("act_3", "attempt without calls", time.time(), 0),
        ]

    gate(valkey, past).take()

    lasting = [key for key in valkey.client.scan_iter() if valkey.client.ttl(key) < 0]
    assert lasting == [EPOCH.encode()]
    assert not list(valkey.client.scan_iter("*act_3*"))


def test_meters_of_a_store_without_memory_read_nothing(valkey: ValkeyServer) -> None:
    assert BudgetStore.connect(valkey.url).meters([LIMIT])[0].used == 0


def test_calls_go_on_when_a_dead_store_comes_back(valkey: ValkeyServer) -> None:
    through = gate(valkey, list)
    through.take()
    valkey.kill()
    with pytest.raises(BudgetSpent, match="unreachable"):
        through.take()
    valkey.start()

    def taken() -> bool:
        try:
            through.take()
        except BudgetSpent:
            return False
        return True

    eventually(taken, seconds=10, what="a call")
