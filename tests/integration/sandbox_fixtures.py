"""A running sandbox, one per test module, and callers and accounts that are a test's own."""

from collections.abc import Iterator

import pytest

from providers.sandbox.constants import Platform
from providers.sandbox.process import Sandbox, start
from tests.integration.sandbox_callers import Ads, Graph, open_account


@pytest.fixture(scope="module")
def sandbox_process() -> Iterator[Sandbox]:
    with start() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """Without the calls, faults and latency of earlier tests; their accounts are still there."""
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture
def graph(sandbox: Sandbox) -> Graph:
    return Graph(sandbox)


@pytest.fixture
def ads(sandbox: Sandbox) -> Ads:
    return Ads(sandbox)


@pytest.fixture
def ad_account(sandbox: Sandbox) -> str:
    """A Meta ad account of 10 campaigns, 40 ad sets and 200 ads."""
    return open_account(sandbox, Platform.META, campaigns=10, ad_groups=40, ads=200, currency="USD")


@pytest.fixture
def customer(sandbox: Sandbox) -> str:
    """A Google customer of 10 campaigns, 40 ad groups and 200 ads."""
    return open_account(sandbox, Platform.GOOGLE, campaigns=10, ad_groups=40, ads=200)
