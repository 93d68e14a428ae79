"""The sandbox for tests of the product: connections to its accounts, and comparison with its truth."""

from typing import Any

import pytest

from providers.sandbox import constants
from providers.sandbox.process import Sandbox
from sync.models import Account, Ad, AdGroup, Campaign, Connection
from sync.models.choices import Provider
from tests.factories import make_connection, make_credential, noon

ROOMY = ((100_000, 60.0),)  # budgets that stand in no test's way
SECRETS = {Provider.META: constants.META_TOKEN, Provider.GOOGLE: constants.GOOGLE_REFRESH_TOKEN}


def addresses(sandbox: Sandbox) -> dict[str, str]:
    """The settings under which the product talks to the sandbox."""
    return {
        **{name: url for name, url in sandbox.urls.items() if name != "url"},
        "META_APP_ID": constants.META_APP_ID,
        "META_APP_SECRET": constants.META_APP_SECRET,
        "GOOGLE_CLIENT_ID": constants.GOOGLE_CLIENT_ID,
        "GOOGLE_CLIENT_SECRET": constants.GOOGLE_CLIENT_SECRET,
    }


def connect(
    sandbox: Sandbox,
    account: Account,
    provider: str,
    *,
    campaigns: int = 5,
    ad_groups: int = 20,
    ads: int = 120,
) -> Connection:
    """A connection to a new ad account of these sizes, with a grant of its own; it is noon there."""
    sizes = {"campaigns": campaigns, "ad_groups": ad_groups, "ads": ads}
    opened = sandbox.control("accounts", platform=provider, **sizes, time_zone=noon())["accounts"][0]
    token = sandbox.control("tokens", platform=provider)["token"]
    is_meta = provider == Provider.META
    return make_connection(
        account,
        provider,
        external_id=f"act_{opened['id']}" if is_meta else opened["id"],
        login_customer_id="" if is_meta else opened["manager_id"],
        currency=opened["currency"],
        time_zone=opened["time_zone"],
        credential=make_credential(account, provider, secret=token),
    )


STATUS_WORDS = {
    "active": {"ACTIVE", "ENABLED"},
    "paused": {"PAUSED"},
    "archived": {"ARCHIVED"},
    "removed": {"DELETED", "REMOVED"},
}


def assert_equal_to_platform(sandbox: Sandbox, connection: Connection) -> None:
    """The catalog holds what the platform has: every entity once, with its name, status and parents."""
    truth = sandbox.truth(connection.provider, connection.external_id)
    for kind, model in (("campaigns", Campaign), ("ad_groups", AdGroup), ("ads", Ad)):
        rows = {row.external_id: row for row in model.objects.filter(connection=connection, removed_at=None)}
        assert set(rows) == set(truth[kind]), kind
        for external_id, told in truth[kind].items():
            assert_same(rows[external_id], told)


def assert_same(row: Any, told: dict[str, Any]) -> None:
    """One row and what the platform tells of it."""
    assert row.name == told["name"]
    effective = told.get("effective_status", told["status"])
    word = effective if effective in ("ARCHIVED", "DELETED") else told["status"]
    assert word in STATUS_WORDS[row.status], (row.external_id, row.status, told)
    if "campaign_id" in told:
        assert row.campaign_external_id == told["campaign_id"]
    if "ad_group_id" in told:
        assert row.ad_group_external_id == told["ad_group_id"]


def use_sandbox(sandbox: Sandbox, settings: Any) -> None:
    """Point the product's settings at the sandbox, with budgets that stand in no way."""
    for name, value in addresses(sandbox).items():
        setattr(settings, name, value)
    settings.CONNECTION_WINDOWS = {"meta": ROOMY, "google": ROOMY}
    settings.PROVIDER_WINDOWS = {"meta": (), "google": ()}


@pytest.fixture
def platform(sandbox: Sandbox, settings: Any) -> Sandbox:
    """The sandbox, and a product that talks to it."""
    use_sandbox(sandbox, settings)
    return sandbox
