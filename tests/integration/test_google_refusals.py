"""What Google refuses rests for as long as it says: the customer, or the whole project."""

import time

import pytest

from providers.errors import BudgetSpent
from providers.sandbox.process import Sandbox
from sync.engine.platform import gate_for
from sync.google.operations import used_operations
from sync.google.project import project_name
from sync.models import Account
from sync.models.choices import DeferReason, RunState
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import sync
from tests.platforms import connect, platform  # noqa: F401  (fixtures)

ELEVEN_HOURS = 40_591  # as a project's daily quota was once refused


def operations(platform: Sandbox) -> int:
    calls: int = platform.calls(platform="google")["subjects"]["google/project"]["calls"]
    return calls


def test_a_refusal_of_the_project_stops_all_its_customers_for_as_long_as_google_says(
    platform: Sandbox, account: Account, other_account: Account
) -> None:
    refused, other = connect(platform, account, "google"), connect(platform, other_account, "google")
    platform.fault(
        "google",
        "rate_limit",
        account=refused.external_id,
        retry_after=ELEVEN_HOURS,
        scope="DEVELOPER",
    )

    first, second = sync(refused), sync(other)

    assert (first.state, second.state) == (RunState.DEFERRED, RunState.DEFERRED)
    assert second.defer_reason == DeferReason.BUDGET
    assert operations(platform) == 1  # nobody asked a second time
    for run in (first, second):
        assert run.available_at is not None
        assert run.available_at.timestamp() - time.time() == pytest.approx(ELEVEN_HOURS, abs=30)
        assert run.failed_attempts == 0


def test_a_refusal_of_a_customer_stops_no_other(
    platform: Sandbox, account: Account, other_account: Account
) -> None:
    refused, other = connect(platform, account, "google"), connect(platform, other_account, "google")
    platform.fault("google", "rate_limit", account=refused.external_id, retry_after=900, scope="ACCOUNT")

    first, second = sync(refused), sync(other)

    assert (first.state, second.state) == (RunState.DEFERRED, RunState.SUCCEEDED)
    with pytest.raises(BudgetSpent) as caught:
        gate_for(refused, background=False).take()
    assert caught.value.retry_at - time.time() == pytest.approx(900, abs=30)


def test_a_refused_and_a_failed_query_count_as_operations_as_google_counts_them(
    platform: Sandbox, account: Account
) -> None:
    connection = connect(platform, account, "google")
    platform.fault("google", "server_error", account=connection.external_id)

    sync(connection)

    assert used_operations(project_name()) == operations(platform) == 1
