"""What a selection reads at Meta: since when, which ids, with or without what is below them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.base import Selection
from providers.meta.client import MetaClient
from providers.records import Stream
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import ids, meta_client

pytest_plugins = "tests.integration.sandbox_fixtures"


def read(client: MetaClient, stream: Stream, selection: Selection) -> list[str]:
    return sorted(ids(client.pages(stream, selection=selection)))


@pytest.fixture
def truth(sandbox: Sandbox, ad_account: str) -> dict[str, dict[str, Any]]:
    return sandbox.truth("meta", ad_account)


@pytest.mark.parametrize("stream", list(Stream))
def test_only_what_was_updated_since_is_read_in_whatever_status(
    sandbox: Sandbox, ad_account: str, truth: dict[str, Any], stream: Stream
) -> None:
    times = sorted(entity["updated"] for entity in truth[stream].values())
    since = datetime.fromtimestamp(times[len(times) // 2], UTC)
    client = meta_client(sandbox, ad_account)

    found = read(client, stream, Selection(since=since))

    later = [key for key, entity in truth[stream].items() if entity["updated"] >= since.timestamp()]
    assert found == sorted(later)
    assert {"DELETED", "ARCHIVED"} & {truth[stream][key]["effective_status"] for key in later}


def test_an_edit_of_the_very_second_is_not_missed(sandbox: Sandbox, ad_account: str) -> None:
    edited = sandbox.control("random-edits", platform="meta", account=ad_account, count=5)["edited"]
    truth = sandbox.truth("meta", ad_account)
    client = meta_client(sandbox, ad_account)

    for stream in Stream:
        for key in edited[stream]:
            late_in_it = datetime.fromtimestamp(truth[stream][key]["updated"] + 0.9, UTC)
            assert key in read(client, stream, Selection(since=late_in_it))


def test_what_changed_is_told_without_a_call(sandbox: Sandbox, ad_account: str) -> None:
    client, since = meta_client(sandbox, ad_account), datetime.now(UTC) - timedelta(hours=1)

    assert client.changed(since) == Selection(since=since)
    assert client.calls == 0


def test_nothing_edited_costs_one_call_a_stream(sandbox: Sandbox, ad_account: str) -> None:
    client = meta_client(sandbox, ad_account)
    selection = client.changed(datetime.now(UTC) + timedelta(hours=1))

    assert [read(client, stream, selection) for stream in Stream] == [[], [], []]
    assert client.calls == 3


def test_chosen_ids_are_read_with_what_is_below_them(
    sandbox: Sandbox, ad_account: str, truth: dict[str, Any]
) -> None:
    campaign, group, ad = chosen(truth)
    selection = Selection((campaign,), (group,), (ad,))
    client = meta_client(sandbox, ad_account)

    below = [key for key, one in truth["ad_groups"].items() if one["campaign_id"] == campaign]
    ads = [key for key, one in truth["ads"].items() if one["campaign_id"] == campaign]
    ads += [key for key, one in truth["ads"].items() if one["ad_group_id"] == group]
    assert read(client, Stream.CAMPAIGNS, selection) == [campaign]
    assert read(client, Stream.AD_GROUPS, selection) == sorted([*below, group])
    assert read(client, Stream.ADS, selection) == sorted([*ads, ad])


def test_without_children_only_the_ids_are_read(
    sandbox: Sandbox, ad_account: str, truth: dict[str, Any]
) -> None:
    campaign, group, ad = chosen(truth)
    selection = Selection((campaign,), (group,), (ad,), with_children=False)
    client = meta_client(sandbox, ad_account)

    assert [read(client, stream, selection) for stream in Stream] == [[campaign], [group], [ad]]


def test_a_stream_of_which_nothing_is_chosen_is_one_empty_page_without_a_call(
    sandbox: Sandbox, ad_account: str, truth: dict[str, Any]
) -> None:
    selection = Selection(ad_group_ids=(next(iter(truth["ad_groups"])),), with_children=False)
    client = meta_client(sandbox, ad_account)

    for stream in (Stream.CAMPAIGNS, Stream.ADS):
        assert list(client.pages(stream, selection=selection)) == [([], None, 0)]
    assert client.calls == 0


def test_chosen_ids_may_be_read_since_a_time(
    sandbox: Sandbox, ad_account: str, truth: dict[str, Any]
) -> None:
    campaigns = truth["campaigns"]
    newest = max(campaigns, key=lambda key: campaigns[key]["updated"])
    since = datetime.fromtimestamp(campaigns[newest]["updated"], UTC)

    found = read(meta_client(sandbox, ad_account), Stream.CAMPAIGNS, Selection(tuple(campaigns), since=since))

    assert found == [newest]


def test_pages_that_shift_repeat_some_and_lose_some_which_the_second_look_finds(
    sandbox: Sandbox, ad_account: str, truth: dict[str, Any]
) -> None:
    sandbox.control("settings", meta_shifting_pages=True)
    try:
        client = meta_client(sandbox, ad_account)
        pages = client.pages(Stream.ADS, selection=Selection())
        first = ids([next(pages)])
        moved = next(ad for ad in truth["ads"] if ad not in first)
        sandbox.control("edit", platform="meta", account=ad_account, id=moved, name="moved")
        rest = ids(pages)
    finally:
        sandbox.control("settings", meta_shifting_pages=False)

    assert rest[0] == first[-1]
    assert moved not in first + rest
    assert client.fetch(Stream.ADS, [moved]) == [moved]


def chosen(truth: dict[str, Any]) -> tuple[str, str, str]:
    """A campaign, an ad group of another one, and an ad of a third; the group has ads."""
    ads = truth["ads"].items()
    ad, its = next(iter(ads))
    group, campaign = next(
        (one["ad_group_id"], one["campaign_id"]) for _, one in ads if one["campaign_id"] != its["campaign_id"]
    )
    third = next(key for key in truth["campaigns"] if key not in (campaign, its["campaign_id"]))
    return third, group, ad
