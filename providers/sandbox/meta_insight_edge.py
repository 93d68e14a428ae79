"""`GET /{account, campaign, ad set or ad}/insights`: an answer at once."""

from collections.abc import Sequence
from typing import Any

from providers.sandbox.faults import Fault
from providers.sandbox.meta_call import Call, Target
from providers.sandbox.meta_errors import too_much_data
from providers.sandbox.meta_insight_query import InsightQuery, parse_query
from providers.sandbox.meta_insights import plan_for, rows_of, write
from providers.sandbox.meta_paging import Pager
from providers.sandbox.meta_query import parse_limit
from providers.sandbox.state import Sandbox


def insights(sandbox: Sandbox, call: Call, target: Target, faults: Sequence[Fault]) -> dict[str, Any]:
    """One page."""
    assert target.account is not None  # noqa: S101 - find_target gives every edge its account
    query = parse_query(sandbox, target.account, target.entity, call.params)
    return page_of(sandbox, call, query, faults)


def page_of(sandbox: Sandbox, call: Call, query: InsightQuery, faults: Sequence[Fault]) -> dict[str, Any]:
    """The page of an answer that the call asks for."""
    if parse_limit(call.params) > sandbox.settings.meta_insight_rows:
        raise too_much_data()
    steps = plan_for(query, call.params.get("fields", ""))
    return Pager(sandbox, call, faults).page(
        rows_of(query), lambda row: row.key, lambda row: write(row, query, steps)
    )
