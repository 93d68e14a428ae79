"""`/api/sync/status/{jobId}`: one run, or a request's runs together."""

from collections import Counter
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import AccountView
from sync.api.jobs import Job, find_job
from sync.api.queue_state import LOST_ACCESS
from sync.api.schema import refusals
from sync.api.serializers import RunStatusSerializer
from sync.api.snapshot import progress_together
from sync.api.words import health_together, retries, seconds, status, status_together, sync_type
from sync.engine.forecast import Forecast, forecasts, with_budgets
from sync.ledger.position import positions
from sync.ledger.waiting import waiting_for
from sync.models import Change, SyncAttempt, SyncRun
from sync.models.choices import EntityKind, RunState

ENTITIES = {EntityKind.CAMPAIGN: "campaigns", EntityKind.AD_GROUP: "adGroups", EntityKind.AD: "ads"}
ATTEMPTS_SHOWN = 100  # newest; a deferral also ends an attempt, so a long run has many


class RunStatusView(AccountView):
    """What became of a sync that was asked for."""

    @extend_schema(
        operation_id="sync_job_status", responses={200: RunStatusSerializer, **refusals(401, 403, 404, 503)}
    )
    def get(self, request: Request, job_id: UUID) -> Response:
        """By the id of the request or of one of its runs."""
        return Response(RunStatusSerializer(job_status(find_job(self.account, job_id))).data)


def job_status(job: Job) -> dict[str, Any]:
    """The runs told as one. Where they differ, what needs attention first speaks for all."""
    runs, now = job.runs, timezone.now()
    attempts = list(SyncAttempt.objects.filter(run__in=runs).order_by("-started_at")[:ATTEMPTS_SHOWN])
    first, failed = _first(runs), [run for run in runs if run.error_message]
    places = positions(runs)
    told = forecasts(runs, places)
    waits = with_budgets(waiting_for(runs), told)
    started = min((run.started_at for run in runs if run.started_at), default=None)
    ended = max((run.finished_at for run in runs if run.finished_at), default=None)
    completed = None if any(run.is_open for run in runs) else ended
    return {
        "jobId": job.id,
        "jobIds": [run.pk for run in runs],
        "syncHistoryId": job.id,
        "status": status_together([status(run) for run in runs]),
        "healthStatus": health_together([run.health for run in runs]),
        "progress": progress_together(runs),
        "stage": first.stage,
        "recordsProcessed": _records(runs),
        "queuePosition": min(places.values(), default=None),
        "waitingFor": waits.get(first.pk),
        "estimatedStartAt": told[first.pk].starts_at if first.pk in told else None,
        "estimatedTimeRemaining": _remaining(runs, attempts, told, now),
        "startedAt": started,
        "completedAt": completed,
        "duration": seconds(started, completed),
        "provider": first.provider,
        "syncType": sync_type(first),
        "errorMessage": failed[0].error_message if failed else None,
        "errorCategory": failed[0].error_category or None if failed else None,
        "retryCount": sum(retries(run) for run in runs),
        "detectedChanges": dict(sum((Counter(run.changes) for run in runs), Counter())),
        "changesByEntity": _by_entity(runs),
        "accessIssues": _access_issues(runs),
        "dataDiscrepancies": [_issue(run, words) for run in runs for words in run.data_discrepancies],
        "attempts": [attempt_line(attempt) for attempt in reversed(attempts)],
    }


def _first(runs: list[SyncRun]) -> SyncRun:
    """The run that speaks for all: one that runs, else one that waits, else one that failed."""
    order = [RunState.RUNNING, RunState.QUEUED, RunState.DEFERRED, RunState.FAILED, RunState.CANCELLED]
    return min(runs, key=lambda run: order.index(RunState(run.state)) if run.state in order else len(order))


def _records(runs: list[SyncRun]) -> dict[str, int]:
    return {
        "campaigns": sum(run.campaigns_count for run in runs),
        "adGroups": sum(run.ad_groups_count for run in runs),
        "ads": sum(run.ads_count for run in runs),
        "insights": sum(run.insights_count for run in runs),
        "total": sum(run.records_count for run in runs),
    }


def _remaining(
    runs: list[SyncRun], attempts: list[SyncAttempt], told: dict[UUID, Forecast], now: datetime
) -> int | None:
    """Milliseconds to the end: of running ones at the rate so far, of waiting ones by the forecast. None as
    long as any open run's can't be told."""
    times = [
        round(1000 * (told[run.pk].ends_at - now).total_seconds())
        if run.pk in told
        else _run_remaining(run, attempts, now)
        for run in runs
        if run.is_open
    ]
    known = [time for time in times if time is not None]
    return max(known) if known and len(known) == len(times) else None


def _run_remaining(run: SyncRun, attempts: list[SyncAttempt], now: datetime) -> int | None:
    if run.state != RunState.RUNNING or not run.progress:
        return None
    own = [attempt for attempt in attempts if attempt.run_id == run.pk]
    worked = sum(((attempt.ended_at or now) - attempt.started_at).total_seconds() for attempt in own)
    return round(1000 * worked * (100 - run.progress) / run.progress)


def _by_entity(runs: list[SyncRun]) -> dict[str, dict[str, int]]:
    """How many entities differed, by the change history, which tells nothing of a connection's first sync."""
    counted: dict[str, dict[str, int]] = {word: {} for word in ENTITIES.values()}
    told = [run.pk for run in runs if run.changes]
    if told:
        kinds = Change.objects.filter(run_id__in=told).values("entity", "action")
        for kind in kinds.annotate(number=Count("external_id", distinct=True)):
            counted[ENTITIES[EntityKind(kind["entity"])]][kind["action"]] = kind["number"]
    return counted


def _access_issues(runs: list[SyncRun]) -> list[dict[str, Any]]:
    """What stands in the ad accounts' way now, and what the platform did not let the runs read."""
    lost = {run.connection_id: run for run in runs if run.connection.condition in LOST_ACCESS}
    return [
        *(_issue(run, run.connection.condition) for run in lost.values()),
        *(_issue(run, words) for run in runs for words in run.access_issues),
    ]


def _issue(run: SyncRun, words: str) -> dict[str, Any]:
    return {
        "connectionId": run.connection_id,
        "externalId": run.connection.external_id,
        "issue": words,
    }


def attempt_line(attempt: SyncAttempt) -> dict[str, Any]:
    """One start of a run."""
    return {
        "jobId": attempt.run_id,
        "worker": attempt.worker,
        "startedAt": attempt.started_at,
        "endedAt": attempt.ended_at,
        "outcome": attempt.outcome or None,
        "message": attempt.message or None,
        "errorCategory": attempt.error_category or None,
        "errorCode": attempt.error_code or None,
        "platformCode": attempt.platform_code or None,
        "traceId": attempt.trace_id or None,
        "calls": attempt.calls,
    }
