"""Who may use how much of Google's day, and when something is free again."""

from datetime import UTC, datetime, timedelta

import pytest

from sync.google.quota import Counted, Quota
from sync.models.google import DAY

MIDNIGHT = datetime(2026, 11, 24, tzinfo=UTC)


def background(limit: int = 15_000, *, weight: int = 1, weights: int = 4) -> Quota:
    return Quota.of(limit, reserve=0.2, weight=weight, weights=weights)


def minute(number: int, calls: int = 1) -> Counted:
    return Counted(MIDNIGHT + timedelta(minutes=number), calls)


@pytest.mark.parametrize(
    ("limit", "reserve", "weight", "weights", "most", "lent", "share"),
    [
        (15_000, 0.2, 1, 1_000, 12_000, 10_500, 12),
        (15_000, 0.2, 3, 1_000, 12_000, 10_500, 36),
        (15_000, 0.0, 1, 1_000, 15_000, 13_500, 15),
        (2_880, 0.2, 1, 10_000, 2_304, 2_016, 1),  # never nothing
        (15_000, 0.2, 1, 1, 12_000, 10_500, 12_000),  # alone: the whole day
        (15_000, 0.2, 2, 0, 12_000, 10_500, 12_000),  # nobody counted yet
        (1, 0.2, 1, 4, 1, 1, 1),
    ],
)
def test_the_parts_of_a_day(
    limit: int, reserve: float, weight: int, weights: int, most: int, lent: int, share: int
) -> None:
    quota = Quota.of(limit, reserve=reserve, weight=weight, weights=weights)

    assert (quota.most, quota.lent, quota.share) == (most, lent, share)


def test_shares_of_all_accounts_fit_into_the_day() -> None:
    weights = [1, 1, 2, 3]

    shares = [background(weight=weight, weights=sum(weights)).share for weight in weights]

    assert sum(shares) <= background().most
    assert shares[3] == 3 * shares[0]


@pytest.mark.parametrize(
    ("project", "account", "allowed"),
    [
        (0, 0, True),
        (10_499, 10_499, True),  # far beyond its share, while nobody else comes
        (10_500, 3_000, False),  # the last tenth is lent to nobody
        (10_500, 2_999, True),
        (11_999, 2_999, True),
        (12_000, 0, False),  # the reserve is for people
    ],
)
def test_beyond_its_share_an_account_only_uses_what_nobody_wants(
    project: int, account: int, allowed: bool
) -> None:
    assert background().allows(project=project, account=account) is allowed


@pytest.mark.parametrize(
    ("scheduled", "own", "share", "utmost"),
    [
        (0, 0, 12, 10_512),  # nobody is expected
        (9_750, 0, 12, 762),  # all is planned for: only what is left over is lent
        (9_750, 975, 975, 1_725),  # its own part of the plan is its own, however small its weight
        (12_000, 0, 12, 12),  # more is wanted than there is
    ],
)
def test_what_the_schedule_needs_is_lent_to_nobody(scheduled: int, own: int, share: int, utmost: int) -> None:
    quota = Quota.of(15_000, reserve=0.2, weight=1, weights=1_000, scheduled=scheduled, own=own)

    assert (quota.share, quota.utmost) == (share, utmost)
    end = min(utmost, quota.lent)
    assert quota.allows(project=end - 1, account=end - 1)
    assert not quota.allows(project=end, account=end)  # on an empty day, one tenant's bulk stops here
    assert quota.allows(project=end, account=0)


def test_people_may_use_the_reserve() -> None:
    people = Quota.of(15_000, reserve=0.0, weight=1, weights=4)

    assert people.allows(project=14_999, account=3_749)
    assert not people.allows(project=14_000, account=5_000)


def test_a_full_day_is_free_again_when_the_oldest_calls_have_left_it() -> None:
    quota = background(10)  # most 8, lent 7, share 2
    counted = [minute(0, 3), minute(5, 4), minute(9, 1)]

    assert quota.free_at(counted, [], calls=3) == MIDNIGHT + DAY
    assert quota.free_at(counted, [], calls=4) == MIDNIGHT + timedelta(minutes=5) + DAY
    assert quota.free_at(counted, [], calls=99) == MIDNIGHT + timedelta(minutes=9) + DAY


def test_a_used_up_share_is_free_again_by_its_own_calls_or_when_there_is_something_to_lend() -> None:
    quota = background(10)
    mine = [minute(4, 2)]

    assert quota.free_at([minute(0, 1), minute(4, 2), minute(5, 4)], mine, calls=1) == MIDNIGHT + DAY
    others_are_later = [minute(4, 2), minute(5, 5)]
    assert quota.free_at(others_are_later, mine, calls=1) == MIDNIGHT + timedelta(minutes=4) + DAY


def test_the_words_say_what_is_used_up() -> None:
    quota = background()

    assert quota.refusal(project=12_000) == (
        "Google's project may make 15,000 operations in 24 hours, 12,000 of them in the background"
    )
    assert quota.refusal(project=11_000) == (
        "Google's project may make 15,000 operations in 24 hours; this account has used its share of 3,000, "
        "the rest is for others"
    )
    assert Quota.of(2_880, reserve=0, weight=1, weights=1).refusal(project=2_880) == (
        "Google's project may make 2,880 operations in 24 hours"
    )
