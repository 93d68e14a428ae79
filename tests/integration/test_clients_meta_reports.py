"""Large insights come through report runs, and nothing that goes wrong with one is lost or asked twice."""

import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from providers.errors import (
    AccessDenied,
    CursorExpired,
    InvalidRequest,
    PlatformFault,
    ProviderError,
    ReportPending,
    TooMuchData,
)
from providers.meta.client import MetaClient
from providers.meta.reports import STUCK_SECONDS, SUBMISSIONS, Run
from providers.records import InsightPage, InsightRecord, InsightSlice, Level
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import RecordingGate, meta_client

pytest_plugins = "tests.integration.sandbox_fixtures"

SLICE = InsightSlice(Level.AD, date(2026, 10, 12), date(2026, 11, 1))
MANY = 5_000  # rows: expected, so a report is asked for


@pytest.fixture(autouse=True)
def quick_reports(sandbox: Sandbox) -> Iterator[None]:
    sandbox.control("settings", today="2026-11-20", meta_report_seconds=0.05)
    yield
    sandbox.control("settings", meta_cursor_seconds=0)


@pytest.fixture
def client(sandbox: Sandbox, ad_account: str) -> MetaClient:
    return meta_client(sandbox, ad_account)


def submit(client: MetaClient) -> ReportPending:
    with pytest.raises(ReportPending) as caught:
        list(client.insights(SLICE, expected_rows=MANY))
    return caught.value


def look(client: MetaClient, cursor: str) -> ReportPending:
    """A look at a run that is not ready, or gives way to the next one."""
    with pytest.raises(ReportPending) as caught:
        list(client.insights(SLICE, cursor=cursor))
    return caught.value


def finish(client: MetaClient, cursor: str) -> list[InsightPage]:
    """Looks until it is ready, much more often than anybody should."""
    for _ in range(100):
        try:
            return list(client.insights(SLICE, cursor=cursor))
        except ReportPending as pending:
            cursor = pending.cursor
            time.sleep(0.05)
    raise AssertionError("the report never came")


def records(pages: list[InsightPage]) -> list[InsightRecord]:
    return [record for page in pages for record in page.records]


def at_once(client: MetaClient) -> list[InsightRecord]:
    return records(list(client.insights(SLICE)))


def runs(sandbox: Sandbox, account: str) -> int:
    """How many were submitted."""
    (counted,) = sandbox.calls(platform="meta", account=account)["subjects"].values()
    return int(counted["endpoints"].get("insights_async", 0))


def test_a_report_gives_what_an_answer_at_once_gives(client: MetaClient) -> None:
    expected = at_once(client)
    calls = client.calls

    pages = finish(client, submit(client).cursor)

    assert records(pages) == expected
    assert len(expected) > 2_000
    assert [page.cursor for page in pages] == [None]
    assert client.calls - calls <= 6


def test_a_report_that_is_ready_at_the_first_look_takes_three_calls(
    sandbox: Sandbox, ad_account: str
) -> None:
    gate = RecordingGate()
    client = meta_client(sandbox, ad_account, gate=gate)
    pending = submit(client)
    time.sleep(0.1)

    assert records(list(client.insights(SLICE, cursor=pending.cursor)))
    assert gate.use_cases == ["ads_insights"] * 3


def test_another_process_finds_the_run_by_its_cursor(sandbox: Sandbox, ad_account: str) -> None:
    pending = submit(meta_client(sandbox, ad_account))

    assert records(finish(meta_client(sandbox, ad_account), pending.cursor))
    assert runs(sandbox, ad_account) == 1


def test_the_cursor_of_a_page_leads_on_within_the_report(
    client: MetaClient, sandbox: Sandbox, ad_account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("providers.meta.reports.PAGE_ROWS", 1_000)
    client = meta_client(sandbox, ad_account)
    pages = finish(client, submit(client).cursor)

    for number, page in enumerate(pages[:-1], start=1):
        assert page.cursor is not None
        assert list(meta_client(sandbox, ad_account).insights(SLICE, cursor=page.cursor)) == pages[number:]
    assert len(pages) > 2


def test_looks_become_rarer_and_ask_for_no_second_run(
    sandbox: Sandbox, client: MetaClient, ad_account: str
) -> None:
    sandbox.fault("meta", "report", account=ad_account, fate="stuck")
    pending = submit(client)
    waits = [pending.retry_after]

    for _ in range(6):
        pending = look(client, pending.cursor)
        waits.append(pending.retry_after)

    assert waits == [15, 20, 40, 80, 160, 300, 300]
    assert runs(sandbox, ad_account) == 1


def test_a_larger_report_is_left_alone_for_longer(client: MetaClient) -> None:
    with pytest.raises(ReportPending) as caught:
        list(client.insights(SLICE, expected_rows=600_000))

    assert caught.value.retry_after == 20


@pytest.mark.parametrize(
    "fault",
    [
        {"fate": "late", "seconds": 1.5},  # begins later
        {"fate": "early", "seconds": 1.5},  # says 100 % while it runs
        {"fate": "hidden", "seconds": 1.5},  # 100/33 just after its making
    ],
    ids=lambda fault: str(fault["fate"]),
)
def test_a_run_that_is_not_ready_is_waited_for(
    sandbox: Sandbox, client: MetaClient, ad_account: str, fault: dict[str, Any]
) -> None:
    sandbox.fault("meta", "report", account=ad_account, **fault)
    pending = submit(client)
    time.sleep(0.1)

    later = look(client, pending.cursor)

    assert later.report_id == pending.report_id
    assert records(finish(client, later.cursor)) == at_once(client)
    assert runs(sandbox, ad_account) == 1


def test_a_result_that_is_not_ready_after_all_is_waited_for(
    sandbox: Sandbox, client: MetaClient, ad_account: str
) -> None:
    early = {"code": 2601, "subcode": 1815107, "is_transient": True}
    sandbox.fault("meta", "platform_error", account=ad_account, endpoint="report_run_insights", **early)
    pending = submit(client)
    time.sleep(0.1)

    later = look(client, pending.cursor)

    assert later.report_id == pending.report_id
    assert records(finish(client, later.cursor)) == at_once(client)


@pytest.mark.parametrize(
    "fault",
    [
        {"fate": "skipped"},
        {"fate": "failed"},  # with Meta's signed code for what passes
        {"fate": "failed", "silent": True},  # as before v25
        {"fate": "failed", "code": 80000, "subcode": 2446079},
    ],
    ids=["skipped", "failed", "failed silently", "limited"],
)
def test_a_run_without_a_result_is_submitted_anew(
    sandbox: Sandbox, client: MetaClient, ad_account: str, fault: dict[str, Any]
) -> None:
    sandbox.fault("meta", "report", account=ad_account, **fault)
    pending = submit(client)
    time.sleep(0.1)

    anew = look(client, pending.cursor)

    assert anew.report_id != pending.report_id
    assert records(finish(client, anew.cursor)) == at_once(client)
    assert runs(sandbox, ad_account) == 2


def test_a_run_that_hangs_is_given_up_after_half_an_hour(
    sandbox: Sandbox, client: MetaClient, ad_account: str
) -> None:
    sandbox.fault("meta", "report", account=ad_account, fate="stuck")
    pending = submit(client)

    anew = look(client, older(pending.cursor, STUCK_SECONDS))

    assert anew.report_id != pending.report_id
    assert records(finish(client, anew.cursor)) == at_once(client)


def test_a_run_that_meta_has_forgotten_is_submitted_anew(
    sandbox: Sandbox, client: MetaClient, ad_account: str
) -> None:
    pending = submit(client)
    sandbox.control("reports/forget")

    assert look(client, pending.cursor).report_id == pending.report_id  # too new to tell
    anew = look(client, older(pending.cursor, 600))

    assert anew.report_id != pending.report_id
    assert records(finish(client, anew.cursor)) == at_once(client)


def older(cursor: str, seconds: float) -> str:
    run = Run.decode(cursor)
    assert run is not None
    return run._replace(submitted_at=int(run.submitted_at - seconds)).encode()


@pytest.mark.parametrize(
    "fault",
    [
        {"fate": "skipped"},
        {"fate": "failed"},
        {"fate": "failed", "code": 987654, "subcode": 1},
        {"fate": "failed", "code": 80000},
    ],
)
def test_no_slice_is_submitted_for_ever(
    sandbox: Sandbox, client: MetaClient, ad_account: str, fault: dict[str, Any]
) -> None:
    sandbox.fault("meta", "report", account=ad_account, times=None, **fault)
    cursor = submit(client).cursor
    for _ in range(SUBMISSIONS - 1):
        time.sleep(0.1)
        cursor = look(client, cursor).cursor
    time.sleep(0.1)

    for _ in range(2):  # as a run that is tried again with what it stored
        with pytest.raises(CursorExpired, match="3 times"):
            list(client.insights(SLICE, cursor=cursor))

    assert runs(sandbox, ad_account) == SUBMISSIONS


@pytest.mark.parametrize(
    ("code", "subcode", "expected"), [(200, 0, AccessDenied), (100, 3191001, InvalidRequest)]
)
def test_what_no_other_run_helps_against_is_raised_at_once(
    sandbox: Sandbox,
    client: MetaClient,
    ad_account: str,
    code: int,
    subcode: int,
    expected: type[ProviderError],
) -> None:
    sandbox.fault("meta", "report", account=ad_account, fate="failed", code=code, subcode=subcode)

    with pytest.raises(expected):
        finish(client, submit(client).cursor)
    assert runs(sandbox, ad_account) == 1


def test_a_report_is_never_read_with_another_attribution(client: MetaClient) -> None:
    pending = submit(client)

    with pytest.raises(CursorExpired):
        list(client.insights(SLICE, cursor=pending.cursor, attribution="1d_click"))
    assert client.calls == 1


def test_a_look_that_fails_loses_no_run(sandbox: Sandbox, client: MetaClient, ad_account: str) -> None:
    pending = submit(client)
    time.sleep(0.1)
    sandbox.fault("meta", "server_error", account=ad_account, endpoint="report_run")

    with pytest.raises(PlatformFault):
        list(client.insights(SLICE, cursor=pending.cursor))

    assert records(finish(client, pending.cursor)) == at_once(client)
    assert runs(sandbox, ad_account) == 1


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
