"""Large insights come through report runs, and nothing that goes wrong with one is lost or asked twice."""

import time
from typing import Any

import pytest

from providers.errors import (
    AccessDenied,
    CursorExpired,
    InvalidRequest,
    PlatformFault,
    ProviderError,
    ReportPending,
)
from providers.meta.client import MetaClient
from providers.meta.reports import STUCK_SECONDS, SUBMISSIONS, Run
from providers.sandbox.process import Sandbox
from tests.integration.client_callers import RecordingGate, meta_client
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
