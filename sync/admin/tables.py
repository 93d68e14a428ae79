"""Small tables that stand on other rows' pages: newest runs, recent failures, changes of a run."""

from collections.abc import Iterable
from typing import Any

from providers.budget import Window
from sync.admin.change import short
from sync.admin.words import (
    CHANGE_COLOURS,
    RUN_COLOURS,
    badge,
    link,
    listing,
    moment,
    page,
    run_duration,
    spoken,
)
from sync.changes import written
from sync.engine.budgets import park_of
from sync.ledger.dead_letters import Cause
from sync.models import Change, DeadLetter, SyncRun

Table = dict[str, Any]  # what unfold's table component draws


def newest_runs(runs: Iterable[SyncRun]) -> Table:
    """The runs of one connection."""
    return {
        "headers": ["Requested", "State", "What", "Trigger", "Took", "Records", "Rows written", "Error"],
        "rows": [
            [
                link(page(run), moment(run.created_at)),
                badge(run.state, run.get_state_display(), RUN_COLOURS),
                run.task,
                run.get_trigger_display(),
                run_duration(run),
                f"{run.records_count:,}",
                written(run) or "-",
                run.error_category or "-",
            ]
            for run in runs
        ],
    }


def budget_windows(told: dict[str, Any]) -> Table:
    """The windows of one connection, as `engine.budgets` tells them."""
    return {
        "headers": ["Budget", "Used", "Limit", "From", "Free at", "Parked until", "Because"],
        "rows": [[*_used(window), *_parked(window)] for window in told["windows"]],
    }


def _used(window: dict[str, Any]) -> list[Any]:
    if window["limit"] is None:
        return [window["budget"], "-", "-", "-", "-"]
    limit = Window(window["limit"], window["seconds"])
    return [window["budget"], window["used"], str(limit), window["source"], moment(window["free_at"])]


def _parked(window: dict[str, Any]) -> list[str]:
    until, because = park_of(window)
    return [moment(until), because or "-"]


def failed_runs(runs: Iterable[SyncRun]) -> Table:
    """Dead letters of all connections."""
    return {
        "headers": ["Finished", "Connection", "Account", "Category", "Error"],
        "rows": [
            [
                link(page(run), moment(run.finished_at)),
                str(run.connection),
                run.account.name,
                run.error_category,
                run.error_message,
            ]
            for run in runs
        ],
    }


def causes(found: Iterable[Cause]) -> Table:
    """Why syncs failed for good, the most frequent first."""
    return {
        "headers": ["Number", "Cause", "Category", "Accounts", "Newest", "Oldest", "Example"],
        "rows": [
            [
                link(listing(DeadLetter, cause=cause.key), cause.number),
                link(listing(DeadLetter, cause=cause.key), cause.words),
                cause.category,
                cause.accounts,
                moment(cause.newest),
                moment(cause.oldest),
                link(page(cause.example), cause.example.error_message or "Open it"),
            ]
            for cause in found
        ],
    }


def changes(rows: Iterable[Change]) -> Table:
    """The changes of one run."""
    return {
        "headers": ["Action", "Entity", "External id", "Field", "Before", "After"],
        "rows": [
            [
                badge(change.action, change.get_action_display(), CHANGE_COLOURS),
                change.get_entity_display(),
                link(page(change), change.external_id),
                spoken(change.field) or "-",
                short(change.old),
                short(change.new),
            ]
            for change in rows
        ],
    }
