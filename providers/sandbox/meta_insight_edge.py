"""`…/insights`: an answer at once, a report run submitted, and a run's result."""

from collections.abc import Sequence
from typing import Any

from providers.sandbox.faults import Fault
from providers.sandbox.hooks import announce
from providers.sandbox.meta_call import Call, Target
from providers.sandbox.meta_errors import too_much_data
from providers.sandbox.meta_insight_query import InsightQuery, parse_query
from providers.sandbox.meta_insights import InsightRow, plan_for, rows_of, write
from providers.sandbox.meta_paging import Pager
from providers.sandbox.meta_query import parse_limit
from providers.sandbox.state import Sandbox
from providers.sandbox.today import today_of


def query_of(sandbox: Sandbox, call: Call, target: Target) -> InsightQuery:
    """What the call asks, checked."""
    assert target.account is not None  # noqa: S101 - find_target gives every edge its account
    today = today_of(sandbox, target.account)
    query = parse_query(target.account, target.entity, call.params, today)
    plan_for(query, call.params.get("fields", ""))
    return query


def insights(sandbox: Sandbox, call: Call, target: Target, faults: Sequence[Fault]) -> dict[str, Any]:
    """`GET /{account, campaign, ad set or ad}/insights`: one page."""
    query = query_of(sandbox, call, target)
    return _page(sandbox, call, query, rows_of(query), call.params.get("fields", ""), faults)


def submit(sandbox: Sandbox, call: Call, target: Target, faults: Sequence[Fault]) -> dict[str, Any]:
    """`POST` to the same edges: a run."""
    query, fields = query_of(sandbox, call, target), call.params.get("fields", "")
    seconds = sandbox.settings.meta_report_seconds
    report = sandbox.reports.submit(query, fields, seconds, faults)
    announce(sandbox, report)
    return {"report_run_id": str(report.id)}


def result(sandbox: Sandbox, call: Call, target: Target, faults: Sequence[Fault]) -> dict[str, Any]:
    """`GET /{report run}/insights`: one page."""
    report = target.report
    assert report is not None  # noqa: S101 - find_target gives the endpoint only with a run
    sandbox.reports.check_ready(report)
    return _page(sandbox, call, report.query, report.rows(), report.fields, faults)


def _page(
    sandbox: Sandbox,
    call: Call,
    query: InsightQuery,
    rows: Sequence[InsightRow],
    fields: str,
    faults: Sequence[Fault],
) -> dict[str, Any]:
    if parse_limit(call.params) > sandbox.settings.meta_insight_rows:
        raise too_much_data()
    steps = plan_for(query, fields)
    return Pager(sandbox, call, faults).page(rows, lambda row: row.key, lambda row: write(row, query, steps))
