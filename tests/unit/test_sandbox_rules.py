"""Which calls a fault strikes: by number, by time, by dice, for all ad accounts or for each."""

import re
from pathlib import Path
from typing import Any

import pytest

import providers.sandbox
from providers.sandbox.constants import Platform
from providers.sandbox.fault_kinds import DETAILS, FaultKind
from providers.sandbox.faults import Faults, Moment

README = Path(providers.sandbox.__file__).parent / "README.md"


class Rules:
    """Faults with a clock that moves when told."""

    def __init__(self, *rules: dict[str, Any], seed: int = 7) -> None:
        self.now = 1_000.0
        self.faults = Faults(seed, lambda: self.now)
        self.faults.add([{"platform": "meta", "kind": "server_error"} | rule for rule in rules])

    def kinds(self, account: str = "1", platform: Platform = Platform.META) -> list[str]:
        return [fault.kind.value for fault in self.faults.draw(Moment(platform, account, "ads"))]

    def struck(self, calls: int, account: str = "1") -> list[int]:
        """The numbers of the calls that were struck, from 1."""
        return [number for number in range(1, calls + 1) if self.kinds(account)]


@pytest.mark.parametrize(
    ("rule", "struck"),
    [
        ({}, [1]),
        ({"times": 2}, [1, 2]),
        ({"times": None}, [1, 2, 3, 4, 5, 6]),
        ({"after_calls": 3}, [4]),
        ({"times": None, "after_calls": 2, "until_calls": 4}, [3, 4]),
        ({"times": 1, "after_calls": 2, "until_calls": 4}, [3]),
        ({"probability": 0}, []),
        ({"probability": 1}, [1, 2, 3, 4, 5, 6]),
        ({"probability": 1, "times": 2}, [1, 2]),
    ],
)
def test_a_rule_strikes_calls_by_their_number(rule: dict[str, Any], struck: list[int]) -> None:
    assert Rules(rule).struck(6) == struck


def test_a_rule_strikes_for_a_time() -> None:
    rules = Rules({"after_seconds": 10, "until_seconds": 20})

    def at(now: float) -> bool:
        rules.now = 1_000.0 + now
        return bool(rules.kinds())

    assert [at(now) for now in (0, 9.999, 10, 15, 19.999, 20, 99)] == [
        False,
        False,
        True,
        True,
        True,
        False,
        False,
    ]


def test_each_account_may_have_numbers_of_its_own() -> None:
    rules = Rules({"after_calls": 1, "each_account": True})

    assert [rules.struck(3, account) for account in ("1", "2")] == [[2], [2]]


def test_dice_strike_the_same_calls_of_an_account_however_others_interleave() -> None:
    rule = {"probability": 0.3, "seed": 5}
    alone, among = Rules(rule), Rules(rule)

    among_others = [n for n in range(1, 101) if (among.kinds("2"), among.kinds("1"))[1]]

    assert alone.struck(100) == among_others
    assert 15 < len(among_others) < 45
    assert Rules(rule | {"seed": 6}).struck(100) != among_others


def test_without_a_seed_the_dice_are_the_sandboxs_and_each_rules_own() -> None:
    def fates(seed: int, place: int) -> list[int]:
        never = {"probability": 0}
        return Rules(*[never] * place, {"probability": 0.3}, seed=seed).struck(100)

    assert fates(7, 0) == fates(7, 0)
    assert fates(7, 0) != fates(7, 1)
    assert fates(7, 0) != fates(8, 0)


def test_one_fault_answers_and_slow_ones_come_with_it() -> None:
    rules = Rules({"kind": "slow"}, {"kind": "html"}, {"kind": "cut"}, {"kind": "slow"})

    assert rules.kinds() == ["slow", "html", "slow"]
    assert rules.kinds() == ["cut"]
    assert rules.faults.fired == {"meta/slow": 2, "meta/html": 1, "meta/cut": 1}


def test_of_rules_that_come_together_one_that_is_wrong_keeps_all_out() -> None:
    rules = Rules()

    with pytest.raises(ValueError, match="earthquake"):
        rules.faults.add([{"platform": "meta", "kind": "html"}, {"platform": "meta", "kind": "earthquake"}])

    assert rules.kinds() == []


def test_a_rule_of_one_platform_leaves_the_other_alone() -> None:
    assert Rules({}).kinds(platform=Platform.GOOGLE) == []


def test_a_call_about_tokens_is_struck_only_by_its_name() -> None:
    rules = Rules({"times": None}, {"kind": "cut", "endpoint": "debug_token", "times": None})
    call = Moment(Platform.META, "", "debug_token", only_by_name=True)

    assert [fault.kind.value for fault in rules.faults.draw(call)] == ["cut"]


def test_the_readme_explains_every_kind_and_every_detail() -> None:
    text = README.read_text(encoding="utf-8")
    lines = {match[1]: match[0] for match in re.finditer(r"^\| `(\w+)` \|.*$", text, re.MULTILINE)}

    lacking = {
        kind: missing
        for kind, details in DETAILS.items()
        if (missing := [detail for detail in details if f"`{detail}`" not in lines.get(kind, "")])
    }
    assert lacking == {}
    assert set(FaultKind) <= lines.keys()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"kind": "earthquake"}, "earthquake"),
        ({"probabilty": 0.5}, "has no 'probabilty'; its details: is_transient, status"),
        ({"kind": "cut", "rows": 3}, "of kind cut has no 'rows'"),
        ({"probability": 2}, "from 0 to 1"),
        ({"times": "often"}, "often"),
        ({"kind": "stream_error"}, "only google's"),
        ({"kind": "usage", "platform": "google"}, "only meta's"),
    ],
)
def test_a_wrong_rule_is_refused_with_what_it_lacks(rule: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Rules(rule)
