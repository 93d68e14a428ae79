"""What a run meets at its gate: all windows or none, the reserve, parks, words, and a store that is away."""

import time
from pathlib import Path

import pytest
import redis

from providers.base import Reading, Usage
from providers.budget import BudgetGate, BudgetStore, Limit, Window
from providers.errors import BudgetSpent, LimitReached, Scope
from tests.integration.valkey_server import ValkeyServer, valkey  # noqa: F401  (fixtures)
from tests.processes import eventually


@pytest.fixture
def store(valkey: ValkeyServer) -> BudgetStore:
    valkey.client.flushall()
    return BudgetStore(valkey.client)


def limit(key: str, *windows: tuple[int, float]) -> Limit:
    """An ad account's for a key like `act_1`, the app's for any other."""
    scope = Scope.AD_ACCOUNT if key.startswith("act_") else Scope.APP
    return Limit(key, key, tuple(Window(*window) for window in windows), scope)


def gate(store: BudgetStore, *limits: Limit, background: bool = False) -> BudgetGate:
    def now(use_case: str) -> list[Limit]:
        case = Limit(f"{limits[0].key}:{use_case}", f"{limits[0].label} ({use_case})", (), Scope.USE_CASE)
        return [*limits, case] if use_case else [*limits]

    return BudgetGate(store, now, background=background, reserve=0.2, call_seconds=30)


def call(through: BudgetGate, *readings: Reading, use_case: str = "") -> None:
    through.settle(through.take(use_case), Usage(readings))


def refusal(through: BudgetGate, use_case: str = "") -> BudgetSpent:
    with pytest.raises(BudgetSpent) as caught:
        through.take(use_case)
    return caught.value


def refused_by_platform(scope: Scope, seconds: float, use_case: str = "") -> LimitReached:
    return LimitReached("Meta allows no more", retry_after=seconds, scope=scope, use_case=use_case)


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


def test_limits_may_change_while_a_run_is_under_way(
    store: BudgetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.budget.gate.LIMITS_FRESH", 0.0)
    now = [limit("act_1", (3, 60))]
    through = BudgetGate(store, lambda _: now, background=False, reserve=0, call_seconds=30)
    for _ in range(3):
        call(through)
    refusal(through)

    now = [limit("act_1", (4, 60))]
    call(through)

    assert refusal(through).reason == "act_1 may make 4 calls a minute"


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
    through.park(refused_by_platform(Scope.AD_ACCOUNT, 100))
    store.park("act_1", 10, "short")

    refused = refusal(through)

    assert refused.reason == "act_1: Meta allows no more"
    assert refused.retry_at - time.time() == pytest.approx(100, abs=1)


def test_a_parked_app_stops_every_ad_account_and_takes_from_none(store: BudgetStore) -> None:
    first, second, app = limit("act_1", (10, 60)), limit("act_2", (10, 60)), limit("Meta")
    gate(store, first, app).park(refused_by_platform(Scope.APP, 100))

    assert refusal(gate(store, second, app)).reason == "Meta: Meta allows no more"
    assert store.meters([second])[0].used == 0


def test_a_parked_use_case_stops_only_its_own_calls(store: BudgetStore) -> None:
    through, app = gate(store, limit("act_1", (10, 60)), limit("Meta")), limit("Meta")
    through.park(refused_by_platform(Scope.USE_CASE, 100, "ads_insights"))

    assert refusal(through, "ads_insights").reason == "act_1 (ads_insights): Meta allows no more"
    call(through, use_case="ads_management")
    call(through)
    call(gate(store, limit("act_2", (10, 60)), app), use_case="ads_insights")


@pytest.mark.parametrize(
    ("percent", "span", "regain", "seconds"),
    [
        (99, 3600, 0, 60),
        (118, 3600, 0, 3600 * 19 / 118),  # until an even fall has it at 99
        (100, 3600, 240, 240),
        (110, 3600, 7, 7),
        (100, 300, 1e9, 86_400),  # no header is believed longer than the longest window
    ],
)
@pytest.mark.parametrize("background", [False, True])
def test_a_meter_that_is_nearly_full_stops_everybody(
    store: BudgetStore, percent: float, span: float, regain: float, seconds: float, background: bool
) -> None:
    own, app = limit("act_1", (10, 60)), limit("Meta", (10, 60))
    call(
        gate(store, own, app, background=background),
        Reading(Scope.AD_ACCOUNT, percent, span, regain_after=regain),
    )

    refused = refusal(gate(store, own, app))

    assert refused.reason == f"act_1: {percent} % of the platform's limit is used"
    assert refused.retry_at - time.time() == pytest.approx(seconds, abs=1)
    call(gate(store, limit("act_2", (10, 60)), app))


@pytest.mark.parametrize("background", [False, True])
def test_background_work_yields_before_the_platforms_limit_and_people_go_on(
    store: BudgetStore, background: bool
) -> None:
    own = limit("act_1", (100, 60))
    call(gate(store, own, background=background), Reading(Scope.AD_ACCOUNT, 90, 3600, regain_after=300))

    refused = refusal(gate(store, own, background=True))

    assert refused.reason == "act_1: 90 % of the platform's limit is used, and people have a reserve of it"
    assert refused.retry_at - time.time() == pytest.approx(3600 * 10 / 90, abs=1)  # until it is at 80
    call(gate(store, own))


def test_a_meter_at_the_reserve_parks_nothing(store: BudgetStore) -> None:
    own = limit("act_1", (10, 60))
    call(gate(store, own), Reading(Scope.AD_ACCOUNT, 80, 3600))

    call(gate(store, own, background=True))


def test_each_of_many_meters_parks_what_it_is_about(store: BudgetStore) -> None:
    own, app = limit("act_1", (10, 60)), limit("Meta")
    call(
        gate(store, own, app),
        Reading(Scope.USE_CASE, 20, 3600, "ads_management"),
        Reading(Scope.USE_CASE, 100, 3600, "ads_insights", regain_after=600),
        Reading(Scope.APP, 85, 3600),
        use_case="ads_management",
    )

    assert refusal(gate(store, own, app), "ads_insights").retry_at - time.time() == pytest.approx(600, abs=1)
    call(gate(store, own, app), use_case="ads_management")
    assert refusal(gate(store, limit("act_2"), app, background=True)).reason.startswith("Meta: 85 %")


def test_a_parks_end_is_not_cut_short_by_a_shorter_one_of_the_other_kind(
    store: BudgetStore, valkey: ValkeyServer
) -> None:
    store.park("act_1", 100, "long", background=True)
    store.park("act_1", 10, "short")

    (meter,) = store.meters([limit("act_1", (1, 60))])

    assert meter.background_until is not None
    assert meter.background_until - time.time() == pytest.approx(100, abs=1)
    assert (meter.parked_because, meter.background_because) == ("short", "long")
    assert valkey.client.ttl("adtiger:budget:park:act_1") > 90


def test_meters_tell_use_parks_and_when_a_full_window_has_room(store: BudgetStore) -> None:
    window = limit("act_1", (1, 60), (9, 3600))
    call(gate(store, window))
    store.park("act_1", 30, "why")

    minute, hour = store.meters([window])

    assert (minute.label, minute.used, minute.limit, minute.seconds) == ("act_1", 1, 1, 60)
    assert (hour.used, hour.limit, hour.free_at) == (1, 9, None)
    assert minute.free_at is not None
    assert minute.free_at - time.time() == pytest.approx(60, abs=1)
    assert minute.parked_until is not None
    assert minute.parked_until - time.time() == pytest.approx(30, abs=1)
    assert minute.parked_because == hour.parked_because == "why"


def test_a_limit_without_windows_tells_its_park(store: BudgetStore) -> None:
    store.park("Meta", 30, "why")

    (meter,) = store.meters([limit("Meta")])

    assert (meter.limit, meter.seconds, meter.used, meter.free_at) == (None, None, 0, None)
    assert meter.parked_because == "why"


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
    nowhere.park(refused_by_platform(Scope.AD_ACCOUNT, 10))

    assert refused.reason == "the budget store is unreachable"
    assert refused.retry_at - time.time() == pytest.approx(15, abs=1)


def test_an_answer_that_comes_when_the_store_is_gone_is_no_error(tmp_path: Path) -> None:
    server = ValkeyServer(tmp_path)
    through = gate(BudgetStore.connect(server.url), limit("act_1", (3, 60)))
    ticket = through.take()
    server.close()

    through.settle(ticket, Usage((Reading(Scope.AD_ACCOUNT, 100, 60),)))

    assert refusal(through).reason == "the budget store is unreachable"


def test_a_server_that_is_no_store_is_as_good_as_none(valkey: ValkeyServer) -> None:
    valkey.client.flushall()
    valkey.client.set("adtiger:budget:park:act_1", "not a hash")
    through = gate(BudgetStore(valkey.client), limit("act_1", (3, 60)))

    with pytest.raises(BudgetSpent, match="unreachable") as caught:
        through.take()

    assert isinstance(caught.value.__cause__, redis.RedisError)
