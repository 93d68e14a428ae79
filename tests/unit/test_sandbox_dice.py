"""The sandbox's dice and latencies: the same again for the same seed, and as wide as they are told to be."""

from statistics import mean, quantiles

import pytest

from providers.sandbox.constants import Platform
from providers.sandbox.dice import throw
from providers.sandbox.latency import Latency, Profile


def test_throws_are_uniform_and_depend_on_seed_name_and_number_alone() -> None:
    throws = [throw(7, "1", number) for number in range(2_000)]

    assert all(0 <= number < 1 for number in throws)
    assert 0.45 < mean(throws) < 0.55
    assert throws == [throw(7, "1", number) for number in range(2_000)]
    assert throw(8, "1", 0) != throws[0] != throw(7, "2", 0)


@pytest.mark.parametrize("told", ["300-1500", "uniform:300-1500", "300-1500 ms", "300-1500ms"])
def test_a_uniform_profile_stays_within_its_ends(told: str) -> None:
    profile = Profile.parse(told)

    assert (profile.at(0.0), profile.at(0.5), profile.at(1.0)) == pytest.approx((0.3, 0.9, 1.5))


def test_a_lognormal_profile_has_nine_tenths_within_its_ends_and_a_tail() -> None:
    profile = Profile.parse("lognormal:300-1500")
    twentieths = quantiles([profile.at(throw(1, "", n)) for n in range(4_000)], n=20)

    assert (profile.at(0.05), profile.at(0.95)) == pytest.approx((0.3, 1.5))
    assert (twentieths[0], twentieths[-1]) == pytest.approx((0.3, 1.5), rel=0.1)
    assert 0 < profile.at(0.0) < 0.1


def test_a_profile_tells_itself_in_the_words_that_it_is_read_from() -> None:
    for told in ("300-1500", "lognormal:20-80", "0-0"):
        assert str(Profile.parse(told)) == told
    assert str(Profile.parse(0.2)) == "200-200"


@pytest.mark.parametrize("told", ["1500-300", "fast", "300", "lognormal:0-10", "-1-5"])
def test_a_profile_that_makes_no_sense_is_refused(told: str) -> None:
    with pytest.raises(ValueError, match="latency"):
        Profile.parse(told)


def latency(seed: int) -> Latency:
    made = Latency(seed)
    made.set(Platform.META, Profile.parse("300-1500"))
    return made


def test_an_accounts_latencies_are_the_same_again_however_other_calls_interleave() -> None:
    first, second = latency(3), latency(3)

    alone = [first.draw(Platform.META, "act_1") for _ in range(20)]
    among = [(second.draw(Platform.META, "act_2"), second.draw(Platform.META, "act_1"))[1] for _ in range(20)]

    assert alone == among
    assert alone != [latency(4).draw(Platform.META, "act_1") for _ in range(20)]


def test_a_part_of_a_drawn_latency_passes_before_the_call_counts() -> None:
    drawn = latency(3)
    ways = [drawn.draw(Platform.META, "act_1") for _ in range(50)]

    assert all(0.3 <= way.there + way.back <= 1.5 for way in ways)
    assert all(way.there > 0 < way.back for way in ways)


def test_a_constant_latency_passes_after_it_and_there_is_none_by_default() -> None:
    drawn = latency(3)
    drawn.set(Platform.META, Profile.parse(0.2))

    assert drawn.draw(Platform.META, "act_1") == (0.0, 0.2)
    assert drawn.draw(Platform.GOOGLE, "1") == (0.0, 0.0)
