"""The recorded accounts begin at the oldest version and arrive, step by step, at the newest."""

from datetime import date

from providers.sandbox.accounts import MANAGER
from providers.sandbox.recorded import recorded_google, recorded_meta
from providers.sandbox.truth import truth

NOW = 1_790_000_000.0


def test_the_meta_account_has_the_recorded_ids_and_links() -> None:
    told = truth(recorded_meta())

    assert told["counts"] == {"campaigns": 4, "ad_groups": 4, "ads": 6}
    assert told["ads"]["6215762744671"]["ad_group_id"] == "6215762732871"
    assert told["ad_groups"]["6215762732871"]["campaign_id"] == "6215762731271"


def test_it_begins_with_the_oldest_version_of_each() -> None:
    told = truth(recorded_meta())

    assert told["campaigns"]["6215293444271"]["updated"] == 1_606_148_871  # 2020-11-23T16:27:51Z


def test_a_step_brings_the_next_recorded_edit_in_time() -> None:
    account = recorded_meta()
    before = truth(account)

    account.history.pop(0)(NOW)

    # 2020-12-08T20:51:37Z is the earliest time in the recording that is not an entity's first.
    assert truth(account)["campaigns"]["6215304559271"]["updated"] == 1_607_460_697
    assert truth(account)["ads"] == before["ads"]


def test_after_all_steps_it_is_as_last_recorded() -> None:
    account = recorded_meta()
    account.catalog.touched()

    for apply in account.history:
        apply(NOW)

    assert truth(account)["campaigns"]["6215293444271"]["updated"] == 1_617_399_859  # 2021-04-02T21:44:19Z


def test_metas_recorded_days_may_be_moved_by_whole_weeks() -> None:
    until = date(2026, 11, 24)
    moved, as_it_was = recorded_meta(until), recorded_meta()
    [ad] = [ad for ad in moved.catalog.ads if ad.id == 6215304566671]
    recorded, later = date(2020, 12, 4).toordinal(), date(2026, 11, 13).toordinal()  # Fridays

    assert (delivery := as_it_was.source(ad, recorded, recorded)) is not None
    assert delivery.impressions == 2575
    assert moved.source(ad, later, until.toordinal()) == delivery
    assert moved.source(ad, recorded, until.toordinal()) is None
    assert moved.source(ad, later, later - 1) is None  # not known the day before


def test_googles_recorded_days_may_be_moved_by_whole_weeks_level_by_level() -> None:
    until = date(2026, 11, 24)
    moved, as_it_was = recorded_google(MANAGER, until).stats, recorded_google(MANAGER).stats
    assert moved is not None
    assert as_it_was is not None

    for level in ("customer", "campaign", "ad_group", "ad_group_ad"):
        days, was = moved(level), as_it_was(level)
        assert until.toordinal() - 7 < max(day for _, day, _ in days) <= until.toordinal()
        [weeks] = {day - before for (_, day, _), (_, before, _) in zip(days, was, strict=True)}
        assert weeks % 7 == 0
        assert [(key, found) for key, _, found in days] == [(key, found) for key, _, found in was]


def test_the_google_customer_holds_what_the_recording_mentions() -> None:
    account = recorded_google(MANAGER)
    told = truth(account)

    assert set(told["campaigns"]) == {"9935249409", "344106493", "10059986060"}
    assert set(told["ads"]) == {"100031227574~514818869462"}
    assert account.catalog.ad_groups[0].type == ""


def test_the_google_history_changes_types_and_urls() -> None:
    account = recorded_google(MANAGER)
    account.catalog.touched()

    for apply in account.history:
        apply(NOW)

    assert account.catalog.ad_groups[0].type == "SEARCH_STANDARD"
    assert len(account.catalog.ads[0].urls) == 2
