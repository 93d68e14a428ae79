"""What does not add up in what a run read: found in SQL at its end, told in sentences with numbers."""

from sync.engine.checks.account import account_changes
from sync.engine.checks.catalog import orphans
from sync.engine.checks.insights import contradictions
from sync.engine.plan import chosen
from sync.engine.turn import Turn
from sync.models.choices import Kind, Mode


def discrepancies(turn: Turn) -> list[str]:
    """Of a run that has read all it was to read, in its last transaction."""
    run = turn.run
    told = account_changes(run.connection, turn.account) if turn.account else []
    if run.kind == Kind.INSIGHTS:
        return told + contradictions(run)
    if run.mode == Mode.FULL and run.kind == Kind.CAMPAIGNS and chosen(run).is_all:
        return told + orphans(run.connection_id)
    return told
