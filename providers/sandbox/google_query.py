"""Answering a query: which rows, and in which order."""

from collections.abc import Callable
from operator import eq, ge, gt, le, lt, ne
from typing import Any

from providers.sandbox import google_changes, google_metrics
from providers.sandbox.gaql import Condition, Query
from providers.sandbox.google_errors import query_error
from providers.sandbox.google_fields import Selected, View, select, view_of
from providers.sandbox.google_resources import Client, Field
from providers.sandbox.state import Sandbox
from providers.sandbox.world import Account

Row = Any
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "!=": ne, "<": lt, "<=": le, ">": gt, ">=": ge}
_BY_EQUALITY = frozenset({"=", "!=", "IN", "NOT IN", "IS NULL", "IS NOT NULL"})


def rows_of(sandbox: Sandbox, account: Account, query: Query) -> list[Row]:
    """All rows that the query means. Removed entities are among them unless the query leaves them out."""
    view = view_of(query)
    _check_fields(account, query, view)
    rows = _all(sandbox, account, query)
    for condition in query.conditions:
        if condition.field == google_metrics.DAY and condition.field not in query.fields:
            continue  # the rows are sums of these days already
        matches = _test(view, condition)
        rows = [row for row in rows if matches(row)]
    for order in reversed(query.order):
        key = select(view, order.field)
        rows = sorted(rows, key=lambda row: _sortable(key.value(row)), reverse=order.descending)
    return rows[: query.limit]


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, 0 if value is None else value)


def _check_fields(account: Account, query: Query, view: View) -> None:
    names = list(google_metrics.names_of(query))
    if account.is_manager and any(name.startswith("metrics.") for name in names):
        raise query_error(
            "REQUESTED_METRICS_FOR_MANAGER", "metrics can't be requested for a manager account."
        )
    for name in names:
        select(view, name)


def _all(sandbox: Sandbox, account: Account, query: Query) -> list[Row]:
    if google_metrics.asks_for_metrics(query):
        google_metrics.check(sandbox, account, query)
        return list(google_metrics.rows_of(sandbox, account, query))
    match query.resource:
        case "customer":
            return [account]
        case "customer_client":
            levels = sandbox.world.below(account)
            return [Client(account, client, level) for client, level in levels.items()]
        case "change_status" | "change_event" as resource:
            google_changes.check(query, account, sandbox.clock())
            changes = google_changes.statuses if resource == "change_status" else google_changes.events
            return list(changes(sandbox, account))
    return list(account.catalog.of(google_metrics.KINDS[query.resource]))


def _test(view: View, condition: Condition) -> Callable[[Row], bool]:
    chosen = select(view, condition.field)
    if chosen.field.type in ("enum", "bool", "list") and condition.operator not in _BY_EQUALITY:
        raise query_error("BAD_OPERATOR", f"{condition.operator} can't be used with {condition.field}.")
    match condition.operator, condition.value:
        case "IN" | "NOT IN", tuple(values):
            wanted = frozenset(_typed(chosen.field, value, condition.field) for value in values)
            inside = condition.operator == "IN"
            return lambda row: (chosen.value(row) in wanted) == inside
        case "BETWEEN", (low, high):
            ends = (_typed(chosen.field, low, condition.field), _typed(chosen.field, high, condition.field))
            return lambda row: (v := chosen.value(row)) is not None and ends[0] <= v <= ends[1]
        case "IS NULL" | "IS NOT NULL", _:
            null = condition.operator == "IS NULL"
            return lambda row: (chosen.value(row) in (None, "")) == null
        case "LIKE", str(pattern):
            return _like(chosen, pattern)
    compare, wanted_value = (
        _COMPARE[condition.operator],
        _typed(chosen.field, str(condition.value), condition.field),
    )
    return lambda row: (v := chosen.value(row)) is not None and compare(v, wanted_value)


def _like(chosen: Selected, pattern: str) -> Callable[[Row], bool]:
    """`%` stands for anything, at the ends or between."""
    parts = [part.lower() for part in pattern.split("%")]

    def matches(row: Row) -> bool:
        text, at = str(chosen.value(row) or "").lower(), 0
        if not text.startswith(parts[0]) or not text.endswith(parts[-1]):
            return False
        for part in parts:
            at = text.find(part, at)
            if at < 0:
                return False
            at += len(part)
        return len(parts) > 1 or text == parts[0]

    return matches


def _typed(field: Field, text: str, name: str) -> Any:
    """A literal of the query as the field's values are."""
    try:
        match field.type:
            case "int64":
                return int(text)
            case "double":
                return float(text)
            case "bool":
                return {"TRUE": True, "FALSE": False}[text.upper()]
            case "enum":
                return text.upper()
    except (ValueError, KeyError):
        kind = "BAD_NUMBER" if field.type in ("int64", "double") else "BAD_VALUE"
        raise query_error(kind, f"'{text}' is no valid value of {name}.") from None
    return text
