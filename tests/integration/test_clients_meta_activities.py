"""Who changed what at Meta: each edit by whoever made it, under a pseudonym."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from providers.base import AdAccountRef, Grant
from providers.meta import activities
from providers.meta.client import MetaClient
from providers.records import Edit, Stream
from providers.registry import MetaConfig
from providers.sandbox.constants import META_TOKEN
from providers.sandbox.process import Sandbox
from providers.session import Session
from tests.integration.client_callers import RecordingGate, meta_client
from tests.integration.sandbox_callers import Graph

pytest_plugins = "tests.integration.sandbox_fixtures"

HOUR = timedelta(hours=1)


@pytest.fixture
def client(sandbox: Sandbox, ad_account: str) -> MetaClient:
    return meta_client(sandbox, ad_account)


def edits(client: MetaClient) -> list[Edit]:
    now = datetime.now(UTC)
    return list(client.changes_by(now - HOUR, now + HOUR))


def one_of_each(sandbox: Sandbox, account: str) -> list[str]:
    truth = sandbox.truth("meta", account)
    return [min(truth[stream]) for stream in Stream]


def edit(sandbox: Sandbox, account: str, entity: str, **changes: Any) -> None:
    sandbox.control("edit", platform="meta", account=account, id=entity, **changes)


def test_an_edit_of_each_kind_is_told_the_oldest_first(
    sandbox: Sandbox, ad_account: str, client: MetaClient
) -> None:
    campaign, group, ad = one_of_each(sandbox, ad_account)
    for entity in (campaign, group, ad):
        edit(sandbox, ad_account, entity, name="edited")

    found = edits(client)

    assert [(one.stream, one.external_id) for one in found] == [
        (Stream.CAMPAIGNS, campaign),
        (Stream.AD_GROUPS, group),
        (Stream.ADS, ad),
    ]
    assert {one.fields for one in found} == {("name",)}
    assert {(one.operation, one.through) for one in found} == {("changed", "Ads Manager")}
    assert client.calls == 1


def test_each_field_is_an_edit_of_its_own(sandbox: Sandbox, ad_account: str, client: MetaClient) -> None:
    campaign, group, _ = one_of_each(sandbox, ad_account)
    edit(sandbox, ad_account, group, bid=77, ends=1_800_000_000)
    edit(sandbox, ad_account, campaign, daily_budget=12_345, status="PAUSED", name="n")
    edit(sandbox, ad_account, campaign, status="ACTIVE")

    fields = [one.fields for one in edits(client)]

    assert sorted(fields[:2]) == [("bid_amount",), ("start_time", "end_time")]
    assert ("daily_budget", "lifetime_budget") in fields
    assert fields[-1] == ("status",)


def test_what_was_made_and_what_was_removed_says_so(
    sandbox: Sandbox, ad_account: str, client: MetaClient
) -> None:
    ad = sandbox.control("create", platform="meta", account=ad_account, kind="ads")["id"]
    sandbox.control("remove", platform="meta", account=ad_account, id=ad)

    assert [(one.external_id, one.operation) for one in edits(client)] == [(ad, "created"), (ad, "removed")]


def test_a_person_is_a_pseudonym_that_holds_neither_name_nor_id(
    sandbox: Sandbox, graph: Graph, ad_account: str, client: MetaClient
) -> None:
    campaign = one_of_each(sandbox, ad_account)[0]
    for number, by in enumerate(["ann@example.com", "bob@example.com", "ann@example.com", ""]):
        edit(sandbox, ad_account, campaign, name=f"name {number}", by=by)

    ann, bob, ann_again, nobody = (one.by for one in edits(client))

    rows = graph.all(f"{ad_account}/activities", fields="actor_id,actor_name")
    told = {value for row in rows for value in row.values()}
    assert ann == ann_again != bob
    assert nobody == ""
    assert not {ann, bob} & told
    assert all(len(one) == 16 for one in (ann, bob))


def test_only_what_happened_between_the_two_moments(
    sandbox: Sandbox, ad_account: str, client: MetaClient
) -> None:
    edit(sandbox, ad_account, one_of_each(sandbox, ad_account)[0], name="now")
    now = datetime.now(UTC)

    assert not list(client.changes_by(now - 3 * HOUR, now - HOUR))
    assert not list(client.changes_by(now + HOUR, now + 3 * HOUR))


def test_of_very_many_the_newest_are_told(
    sandbox: Sandbox, ad_account: str, client: MetaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activities, "PAGE_ROWS", 5)
    campaign = one_of_each(sandbox, ad_account)[0]
    for number in range(30):
        edit(sandbox, ad_account, campaign, name=f"name {number}")

    assert len(edits(client)) == 5
    assert client.calls == 1


def test_without_the_apps_secret_nobody_is_named(sandbox: Sandbox, ad_account: str) -> None:
    edit(sandbox, ad_account, one_of_each(sandbox, ad_account)[0], name="edited")
    config = MetaConfig(graph_url=sandbox.urls["META_GRAPH_URL"])
    bare = MetaClient(
        config, Grant(META_TOKEN), AdAccountRef(ad_account), gate=RecordingGate(), session=Session()
    )

    assert [one.by for one in edits(bare)] == [""]
