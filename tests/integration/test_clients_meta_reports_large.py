"""What is too much for an answer at once becomes a report, and what is too much for that is divided."""

import time
from datetime import date

import pytest

from providers.errors import (
    PlatformFault,
    ReportPending,
    TooMuchData,
)
from providers.meta.client import MetaClient
from providers.records import InsightPage, InsightSlice, Level
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import meta_client
from tests.integration.report_callers import (  # noqa: F401  (fixtures)
    MANY,
    SLICE,
    at_once,
    client,
    finish,
    look,
    quick_reports,
    records,
    runs,
    submit,
)

pytest_plugins = "tests.integration.sandbox_fixtures"


def test_a_report_of_too_much_data_is_the_callers_to_split(
    sandbox: Sandbox, client: MetaClient, ad_account: str
) -> None:
    sandbox.fault("meta", "report", account=ad_account, fate="failed", code=100, subcode=1487534)

    with pytest.raises(TooMuchData) as caught:
        finish(client, submit(client).cursor)

    assert caught.value.platform_code == "100/1487534"
    assert runs(sandbox, ad_account) == 1


@pytest.mark.parametrize("expected_rows", [0, MANY])
def test_a_slice_that_is_too_wide_in_either_way_is_the_callers_to_split(
    sandbox: Sandbox, client: MetaClient, ad_account: str, expected_rows: int
) -> None:
    sandbox.fault("meta", "too_wide", account=ad_account, rows=1_000)
    days = InsightSlice(Level.AD, date(2026, 11, 1), date(2026, 11, 1))

    with pytest.raises(TooMuchData):
        list(client.insights(SLICE, expected_rows=expected_rows))

    assert client.calls == 1
    assert records(list(client.insights(days)))


def test_what_is_too_heavy_at_once_becomes_a_report(
    sandbox: Sandbox, client: MetaClient, ad_account: str
) -> None:
    expected = at_once(client)
    sandbox.fault("meta", "too_much_data", account=ad_account, endpoint="insights", rows=500)

    pending = submit_at_once(client)

    assert records(finish(client, pending.cursor)) == expected
    calls = client.calls
    submit_at_once(client)
    assert client.calls == calls + 1  # it is not tried again for nothing


def test_what_is_far_more_than_expected_becomes_a_report(
    sandbox: Sandbox, ad_account: str, client: MetaClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = at_once(client)
    monkeypatch.setattr("providers.meta.insights.PAGE_ROWS", 300)
    client, pages = meta_client(sandbox, ad_account), list[InsightPage]()

    with pytest.raises(ReportPending) as caught:
        pages.extend(client.insights(SLICE))

    assert client.calls == 5
    assert records(pages) == expected[:1_200]
    assert records(finish(client, caught.value.cursor)) == expected


@pytest.mark.parametrize(("code", "subcode"), [(2, 1504044), (2, 1504038), (100, 1504018), (-3, 1504045)])
def test_what_is_too_slow_at_once_becomes_a_report(
    sandbox: Sandbox, client: MetaClient, ad_account: str, code: int, subcode: int
) -> None:
    sandbox.fault("meta", "platform_error", account=ad_account, code=code, subcode=subcode)

    assert submit_at_once(client).report_id.isdigit()
    assert client.calls == 2


def test_a_fault_that_passes_makes_no_report(sandbox: Sandbox, client: MetaClient, ad_account: str) -> None:
    sandbox.fault("meta", "platform_error", account=ad_account, code=2, subcode=1504043, is_transient=True)

    with pytest.raises(PlatformFault):
        list(client.insights(SLICE))
    assert client.calls == 1


def submit_at_once(client: MetaClient) -> ReportPending:
    with pytest.raises(ReportPending) as caught:
        list(client.insights(SLICE))
    return caught.value


def test_pages_of_a_result_are_halved_until_they_pass(
    sandbox: Sandbox, client: MetaClient, ad_account: str
) -> None:
    fields = 14
    sandbox.fault("meta", "too_much_data", account=ad_account, cells=1_500 * fields)

    pages = finish(client, submit(client).cursor)

    assert [len(page.records) for page in pages[:-1]] == [1_250] * (len(pages) - 1)
    assert records(pages) == records(finish(client, submit(client).cursor))


def test_a_result_that_no_page_is_small_enough_for_is_the_callers_to_split(
    sandbox: Sandbox, client: MetaClient, ad_account: str
) -> None:
    sandbox.fault("meta", "too_much_data", account=ad_account, endpoint="report_run_insights", rows=10)

    with pytest.raises(TooMuchData):
        finish(client, submit(client).cursor)


def test_an_expired_cursor_reads_the_result_again_and_asks_for_no_other(
    sandbox: Sandbox, ad_account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.meta.reports.PAGE_ROWS", 1_000)
    sandbox.control("settings", meta_cursor_seconds=1.5)
    client = meta_client(sandbox, ad_account)
    pages = finish(client, submit(client).cursor)
    time.sleep(1.6)

    again = finish(client, pages[0].cursor or "")

    assert records(again) == records(pages)
    assert runs(sandbox, ad_account) == 1
