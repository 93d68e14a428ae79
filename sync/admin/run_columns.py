"""What a list and a page of runs show of each run, in words."""

from django.utils.safestring import SafeString

from sync.admin.base import display
from sync.admin.words import (
    HEALTH_COLOURS,
    RUN_COLOURS,
    badge,
    brief,
    moment,
    nowrap,
    run_duration,
    sentences,
    subtle,
)
from sync.changes import written
from sync.ledger.waiting import waiting_for
from sync.models import SyncRun


class RunColumns:
    """The columns and read-only fields of an admin of runs."""

    @display(description="Requested, started", header=True)
    def times(self, run: SyncRun) -> list[SafeString]:
        return [nowrap(brief(run.created_at)), subtle(brief(run.started_at))]

    @display(description="Requested")
    def requested(self, run: SyncRun) -> str:
        return moment(run.created_at)

    @display(description="State")
    def state_badge(self, run: SyncRun) -> SafeString:
        return badge(run.state, run.get_state_display(), RUN_COLOURS)

    @display(description="State, progress", header=True)
    def state_and_percent(self, run: SyncRun) -> list[SafeString]:
        return [self.state_badge(run), subtle(self.percent(run))]

    @display(description="Connection", header=True)
    def where(self, run: SyncRun) -> list[SafeString]:
        return [nowrap(str(run.connection)), subtle(run.account.name)]

    @display(description="What", header=True)
    def work(self, run: SyncRun) -> list[SafeString]:
        return [nowrap(run.task), subtle(run.trigger)]

    @display(description="What")
    def what(self, run: SyncRun) -> str:
        return run.task

    @display(description="Progress")
    def percent(self, run: SyncRun) -> str:
        return f"{run.progress} %"

    @display(description="Started")
    def started(self, run: SyncRun) -> str:
        return moment(run.started_at)

    @display(description="Finished")
    def finished(self, run: SyncRun) -> str:
        return moment(run.finished_at)

    @display(description="Took, calls", header=True)
    def took_and_calls(self, run: SyncRun) -> list[SafeString]:
        return [self.took(run), subtle(f"{run.calls:,} call{'' if run.calls == 1 else 's'}")]

    @display(description="Took")
    def took(self, run: SyncRun) -> SafeString:
        return nowrap(run_duration(run))

    @display(description="Records, written", header=True)
    def records(self, run: SyncRun) -> list[SafeString]:
        return [nowrap(f"{run.records_count:,}"), subtle(written(run) or "none")]

    @display(description="Rows written")
    def wrote(self, run: SyncRun) -> str:
        return written(run) or "-"

    @display(description="Health")
    def health_badge(self, run: SyncRun) -> SafeString | str:
        """Of an end; before it there is nothing to say."""
        if run.is_open:
            return "-"
        return badge(run.health, run.health.value.capitalize(), HEALTH_COLOURS)

    @display(description="Not let read")
    def denied(self, run: SyncRun) -> SafeString | str:
        return sentences(run.access_issues)

    @display(description="Does not add up")
    def unequal(self, run: SyncRun) -> SafeString | str:
        return sentences(run.data_discrepancies)

    @display(description="Failed attempts")
    def tries(self, run: SyncRun) -> str:
        return f"{run.failed_attempts} of {run.max_attempts}"

    @display(description="Waiting for")
    def waiting(self, run: SyncRun) -> str:
        return waiting_for([run]).get(run.pk, "-")

    @display(description="Error")
    def category(self, run: SyncRun) -> str:
        return run.error_category or "-"

    @display(description="Error")
    def error(self, run: SyncRun) -> str:
        return f"{run.error_category} ({run.error_code}): {run.error_message}" if run.error_category else "-"

    @display(description="Requested by")
    def requester(self, run: SyncRun) -> str:
        return f"{run.request.requested_by or 'nobody in person'}, through {run.request.source}"
