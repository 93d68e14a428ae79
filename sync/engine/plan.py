"""What a run reads of the catalog: decided when it first starts, and kept in its checkpoint.

Guarantee: a run that was deferred, or lost its worker, goes on with the plan it had and asks nobody again;
and no connection is said to be read until a later moment than its run began to read.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import structlog
from django.utils import timezone

from providers.base import Selection
from sync.engine.chunk import chunk
from sync.engine.turn import Turn
from sync.ledger.scope import CATCH_UP
from sync.models import SyncRun
from sync.models.choices import Mode

logger = structlog.get_logger(__name__)

# Changes are asked for from a little before the last run began: our clock may be ahead of the platform's, and
# an edit may show in its listings later than it was made. What is read twice is written once.
OVERLAP = timedelta(minutes=5)
NOTHING = Selection(with_children=False)
NEVER_READ = "nothing was read yet"
NOT_TOLD = "the platform does not tell all that changed"


class Reading(NamedTuple):
    """Which edits a run was the first to read: those between the two, and none or some a little later."""

    behind: datetime
    until: datetime


class Plan(NamedTuple):
    """What a run reads, and what it may conclude from it."""

    selection: Selection
    sees_removals: bool  # what it reads is complete, so what it does not see may be gone
    changed_since: datetime | None = None  # of an incremental run

    @property
    def is_all(self) -> bool:
        """Whether it reads the whole account."""
        return self.selection.is_all

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return self.selection == NOTHING


def plan_of(turn: Turn) -> Plan:
    """The run's plan; made now, unless the checkpoint has it."""
    run = turn.run
    if "plan" not in run.checkpoint:
        _make(turn)
    made = run.checkpoint["plan"]
    if "changed" in made:
        since = datetime.fromisoformat(made["since"])
        return Plan(_selection(made["changed"]), sees_removals=False, changed_since=since)
    return Plan(chosen(run), sees_removals=True)


def catch_up(turn: Turn) -> Plan | None:
    """What changed while a full pass was under way, where a person joined it; else None.

    Where the platform can't tell, the pass has to do, and the next sync reads all again.
    """
    run, plan = turn.run, turn.run.checkpoint["plan"]
    if not plan.pop(CATCH_UP, False):
        return None
    since = read_until(run)
    changed = turn.client.changed(since)
    plan |= {"since": since.isoformat(), "changed": _stored(changed or NOTHING)}
    run.checkpoint = {"plan": plan}
    with chunk(run, turn.lease, calls=turn.client.calls):
        pass
    return plan_of(turn)


def chosen(run: SyncRun) -> Selection:
    """What the run's scope names; all where it names nothing."""
    return Selection(tuple(run.campaign_ids), tuple(run.ad_group_ids), tuple(run.ad_ids))


def read_until(run: SyncRun) -> datetime:
    """The moment up to which the connection is read once the run has succeeded."""
    return datetime.fromisoformat(run.checkpoint["plan"]["began"]) - OVERLAP


def reading_of(run: SyncRun) -> Reading | None:
    """Of a run with a plan; None where nothing was read before it."""
    behind = run.checkpoint.get("plan", {}).get("behind")
    return Reading(datetime.fromisoformat(behind), read_until(run)) if behind else None


def _make(turn: Turn) -> None:
    run, client = turn.run, turn.client
    behind = run.connection.read_until
    plan: dict[str, Any] = {"began": timezone.now().isoformat(), "behind": behind and behind.isoformat()}
    run.checkpoint = {"plan": plan}
    if run.mode == Mode.FULL or not chosen(run).is_all:
        return  # with the first page it is committed
    since = run.connection.read_until
    changed = client.changed(since) if since else None
    if changed == Selection():  # the same in other words; as a plan it would read all
        changed = NOTHING
    if since and changed:
        plan |= {"since": since.isoformat(), "changed": _stored(changed)}
    else:
        plan["full_because"] = NOT_TOLD if since else NEVER_READ
        run.mode = Mode.FULL
        logger.info("run reads all", reason=plan["full_because"])
    with chunk(run, turn.lease, calls=client.calls):
        SyncRun.objects.filter(pk=run.pk).update(mode=run.mode)


def _stored(changed: Selection) -> dict[str, Any]:
    return changed._asdict() | {"since": changed.since and changed.since.isoformat()}


def _selection(stored: dict[str, Any]) -> Selection:
    """As it was told."""
    return Selection(
        campaign_ids=tuple(stored["campaign_ids"]),
        ad_group_ids=tuple(stored["ad_group_ids"]),
        ad_ids=tuple(stored["ad_ids"]),
        with_children=stored["with_children"],
        since=datetime.fromisoformat(stored["since"]) if stored["since"] else None,
    )
