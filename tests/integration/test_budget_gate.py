"""What a run meets at its gate: all windows or none, the reserve, parks, words, and a store that is away."""

import time
from collections.abc import Iterator

import pytest
import redis

from providers.base import Usage
from providers.budget import BudgetGate, BudgetStore, Limit, Window
from providers.errors import BudgetSpent
from tests.integration.valkey_server import ValkeyServer
from tests.processes import eventually


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ValkeyServer]:
    server = ValkeyServer(tmp_path_factory.mktemp("valkey"))
    yield server
    server.close()


@pytest.fixture
def store(valkey: ValkeyServer) -> BudgetStore:
    valkey.client.flushall()
    return BudgetStore(valkey.client)


def limit(key: str, *windows: tuple[int, float]) -> Limit:
    return Limit(key, key, tuple(Window(*window) for window in windows))


def gate(store: BudgetStore, *limits: Limit, background: bool = False) -> BudgetGate:
    return BudgetGate(store, limits, background=background, reserve=0.2, call_seconds=30)


def call(through: BudgetGate, usage: Usage | None = None) -> None:
    through.settle(through.take(), usage or Usage())


def refusal(through: BudgetGate) -> BudgetSpent:
    with pytest.raises(BudgetSpent) as caught:
        through.take()
    return caught.value


def test_the_call_above_the_limit_is_refused_until_the_first_leaves(store: BudgetStore) -> None:
    through = gate(store, limit("act_1", (3, 60)))
    before = time.time()
    for _ in range(3):
        call(through)

    refused = refusal(through)

    assert refused.reason == "act_1 may make 3 calls a minute"
    assert before + 60 <= refused.retry_at <= time.time() + 60.001


def test_all_windows_are_taken_or_none(store: BudgetStore) -> None:
    roomy, tight = limit("roomy", (10, 60)), limit("tight", (1, 60))
    call(gate(store, tight))

    assert refusal(gate(store, roomy, tight)).reason.startswith("tight")
    assert refusal(gate(store, tight, roomy)).reason.startswith("tight")

    assert store.meters([roomy])[0].used == 0


def test_the_reason_and_the_moment_are_those_of_the_last_window_to_free(store: BudgetStore) -> None:
    through = gate(store, limit("act_1", (1, 10), (1, 3600)), limit("Acme", (1, 60)))
    call(through)

    refused = refusal(through)

    assert refused.reason == "act_1 may make 1 call an hour"
    assert refused.retry_at - time.time() == pytest.approx(3600, abs=1)


def test_a_pause_between_calls_is_one_more_window(store: BudgetStore) -> None:
    through = gate(store, limit("act_1", (10, 60), (1, 0.5)), background=True)
    call(through)

    refused = refusal(through)

    assert refused.reason == "act_1 may make 1 call in 0.5 s"
    assert refused.retry_at - time.time() <= 0.5


def test_background_work_leaves_a_reserve_to_people(store: BudgetStore) -> None:
    window = limit("act_1", (10, 60))
    for _ in range(8):
        call(gate(store, window, background=True))
    refused = refusal(gate(store, window, background=True))
    assert refused.reason == "act_1 may make 10 calls a minute, 8 of them in the background"

    for _ in range(2):
        call(gate(store, window))
    assert refusal(gate(store, window)).reason == "act_1 may make 10 calls a minute"


def test_what_people_took_counts_against_the_background_too(store: BudgetStore) -> None:
    window = limit("act_1", (10, 60))
    for _ in range(8):
        call(gate(store, window))

    refusal(gate(store, window, background=True))


def test_limits_may_change_between_two_runs(store: BudgetStore) -> None:
    for _ in range(3):
        call(gate(store, limit("act_1", (3, 60))))

    call(gate(store, limit("act_1", (4, 60))))
    refusal(gate(store, limit("act_1", (2, 60))))


def test_two_ad_accounts_do_not_share_a_window_but_their_app_does(store: BudgetStore) -> None:
    app = limit("Meta", (3, 60))
    first = gate(store, limit("act_1", (2, 60)), app)
    second = gate(store, limit("act_2", (2, 60)), app)
    for _ in range(2):
        call(first)

    call(second)

    assert refusal(second).reason == "Meta may make 3 calls a minute"


def test_a_parked_key_is_refused_with_the_reason_and_the_longest_park_counts(store: BudgetStore) -> None:
    through = gate(store, limit("act_1", (10, 60)))
    through.park(100, "blocked by Meta")
    through.park(10, "short")

    refused = refusal(through)

    assert refused.reason == "act_1: blocked by Meta"
    assert refused.retry_at - time.time() == pytest.approx(100, abs=1)


def test_a_parked_app_stops_every_ad_account_and_takes_from_none(store: BudgetStore) -> None:
    first, second, app = limit("act_1", (10, 60)), limit("act_2", (10, 60)), limit("Meta")
    gate(store, first, app).park(100, "app limit", limit=1)

    assert refusal(gate(store, second, app)).reason == "Meta: app limit"
    assert store.meters([second])[0].used == 0


@pytest.mark.parametrize(
    ("usage", "seconds"),
    [
        (Usage(percent=100.0), 60),
        (Usage(percent=118.0), 60),
        (Usage(percent=50, regain_after=240), 240),
        (Usage(percent=110, regain_after=7), 7),
        (Usage(regain_after=1e9), 86_400),  # no header is believed longer than the longest window
    ],
)
def test_what_an_answer_says_about_usage_parks_the_ad_account(
    store: BudgetStore, usage: Usage, seconds: float
) -> None:
    through = gate(store, limit("act_1", (10, 60)), limit("Meta", (10, 60)))
    call(through, usage)

    refused = refusal(through)

    assert refused.reason.startswith("act_1: ")
    assert refused.retry_at - time.time() == pytest.approx(seconds, abs=1)


def test_an_answer_below_the_limit_parks_nothing(store: BudgetStore) -> None:
    through = gate(store, limit("act_1", (10, 60)))
    call(through, Usage(percent=99.9))

    call(through)


def test_meters_tell_use_parks_and_when_a_full_window_has_room(store: BudgetStore) -> None:
    window = limit("act_1", (1, 60), (9, 3600))
    call(gate(store, window))
    gate(store, window).park(30, "why")

    minute, hour = store.meters([window])

    assert (minute.label, minute.used, minute.limit, minute.seconds) == ("act_1", 1, 1, 60)
    assert (hour.used, hour.limit, hour.free_at) == (1, 9, None)
    assert minute.free_at is not None
    assert minute.free_at - time.time() == pytest.approx(60, abs=1)
    assert minute.parked_until is not None
    assert minute.parked_until - time.time() == pytest.approx(30, abs=1)
    assert minute.parked_because == hour.parked_because == "why"


def test_a_park_ends_though_its_key_is_still_there(store: BudgetStore, valkey: ValkeyServer) -> None:
    window = limit("act_1", (1, 60))
    store.park("act_1", 0.05, "why")
    valkey.client.persist("adtiger:budget:park:act_1")
    assert refusal(gate(store, window)).reason == "act_1: why"

    eventually(lambda: store.meters([window])[0].parked_until is None, seconds=5, what="the park's end")

    assert store.meters([window])[0].parked_because == ""
    call(gate(store, window))


def test_without_the_store_nothing_is_called_and_no_error_of_redis_leaves() -> None:
    nowhere = gate(BudgetStore.connect("redis://127.0.0.1:1/0"), limit("act_1", (3, 60)))

    refused = refusal(nowhere)
    nowhere.settle("ticket", Usage(regain_after=10))
    nowhere.park(10, "why")

    assert refused.reason == "the budget store is unreachable"
    assert refused.retry_at - time.time() == pytest.approx(15, abs=1)


def test_a_server_that_is_no_store_is_as_good_as_none(valkey: ValkeyServer) -> None:
    valkey.client.flushall()
    valkey.client.set("adtiger:budget:park:act_1", "not a hash")
    through = gate(BudgetStore(valkey.client), limit("act_1", (3, 60)))

    with pytest.raises(BudgetSpent, match="unreachable") as caught:
        through.take()

    assert isinstance(caught.value.__cause__, redis.RedisError)
