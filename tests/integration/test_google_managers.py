"""A manager's tree, and one credential for many customers: each stands for itself."""

import pytest

from providers.records import AdAccountRecord
from providers.sandbox.accounts import MANAGER
from providers.sandbox.constants import Platform
from providers.sandbox.process import Sandbox
from sync.models import Account, Campaign, Connection
from sync.models.choices import RunState
from tests.factories import make_credential
from tests.integration.client_callers import google_client
from tests.integration.sandbox_callers import open_account
from tests.integration.syncing import sync
from tests.platforms import assert_equal_to_platform, connect, platform  # noqa: F401  (fixtures)

pytest_plugins = "tests.integration.sandbox_fixtures"

SMALL = {"campaigns": 2, "ad_groups": 4, "ads": 10}


def opened(sandbox: Sandbox, *above: str, **values: object) -> str:
    return open_account(sandbox, Platform.GOOGLE, **SMALL, below=list(above), **values)


def found(sandbox: Sandbox) -> dict[str, AdAccountRecord]:
    """By id; each once."""
    records = list(google_client(sandbox).accounts())
    by_id = {record.external_id: record for record in records}
    assert len(by_id) == len(records)
    return by_id


def test_a_tree_is_found_to_its_lowest_level(sandbox: Sandbox) -> None:
    agency = opened(sandbox, MANAGER, manager=True)
    team = opened(sandbox, agency, manager=True)
    customer = opened(sandbox, team)

    tree = found(sandbox)

    assert [tree[one].is_manager for one in (agency, team, customer)] == [True, True, False]
    assert [tree[one].login_customer_id for one in (agency, team, customer)] == [MANAGER] * 3
    described = google_client(sandbox, customer, login=MANAGER).account()
    assert described.external_id == customer


def test_discovery_costs_the_list_and_two_operations_a_tree(sandbox: Sandbox) -> None:
    opened(sandbox, opened(sandbox, MANAGER, manager=True), direct=True)
    client = google_client(sandbox)

    trees = [record for record in client.accounts() if not record.login_customer_id]

    assert {record.is_manager for record in trees} == {True}
    assert client.calls == 1 + 2 * len(trees)


def test_a_customer_of_several_managers_is_found_once(sandbox: Sandbox) -> None:
    other = opened(sandbox, manager=True)
    shared, own = opened(sandbox, MANAGER, other), opened(sandbox, other)

    tree = found(sandbox)

    assert tree[other].is_manager
    assert tree[own].login_customer_id == other
    assert tree[shared].login_customer_id in (MANAGER, other)


def test_hidden_and_closed_customers_are_found_and_say_so(sandbox: Sandbox) -> None:
    hidden, cancelled = opened(sandbox, MANAGER, hidden=True), opened(sandbox, MANAGER, status="CANCELED")
    suspended = opened(sandbox, MANAGER, status="SUSPENDED")

    tree = found(sandbox)

    assert tree[hidden].is_active
    assert (tree[cancelled].is_active, tree[cancelled].platform_status) == (False, "CANCELED")
    assert (tree[suspended].is_active, tree[suspended].platform_status) == (False, "SUSPENDED")


def test_a_closed_manager_hides_only_what_it_alone_holds(sandbox: Sandbox) -> None:
    closed = opened(sandbox, manager=True)
    lost, shared = opened(sandbox, closed), opened(sandbox, closed, MANAGER)
    sandbox.control("account", platform="google", account=closed, status="CANCELED")

    tree = found(sandbox)

    assert shared in tree
    assert lost not in tree


@pytest.fixture
def family(platform: Sandbox, account: Account) -> list[Connection]:
    """Three customers of one manager, through one credential."""
    credential = make_credential(
        account, "google", secret=platform.control("tokens", platform="google")["token"]
    )
    connections = [connect(platform, account, "google", campaigns=2, ad_groups=4, ads=10) for _ in range(3)]
    for connection in connections:
        connection.credential = credential
        connection.save(update_fields=["credential"])
    return connections


def test_a_suspended_customer_stops_no_other_of_its_credential(
    platform: Sandbox, family: list[Connection]
) -> None:
    first, suspended, last = family
    platform.control("account", platform="google", account=suspended.external_id, status="SUSPENDED")

    states = [sync(connection).state for connection in family]

    assert states == [RunState.SUCCEEDED, RunState.FAILED, RunState.SUCCEEDED]
    assert_equal_to_platform(platform, first)
    assert_equal_to_platform(platform, last)
    assert not Campaign.objects.filter(connection=suspended).exists()


def test_a_customer_that_disappears_keeps_its_rows(platform: Sandbox, family: list[Connection]) -> None:
    gone = family[0]
    sync(gone)
    platform.control("account", platform="google", account=gone.external_id, status="CANCELED")

    assert sync(gone).state == RunState.FAILED
    assert Campaign.objects.filter(connection=gone, removed_at=None).count() == 2
