"""Find what a `jobId` names: a request or a run, of the caller's account."""

from dataclasses import dataclass
from uuid import UUID

from django.http import Http404

from sync.ledger.waiting import RELATED
from sync.models import Account, SyncRequest, SyncRun


@dataclass(frozen=True)
class Job:
    """A request with its runs, or a run by itself."""

    id: UUID
    runs: list[SyncRun]


def find_job(account: Account, job_id: UUID) -> Job:
    """404 for an id that is unknown, or somebody else's."""
    request = SyncRequest.objects.filter(account=account, pk=job_id).first()
    mine = SyncRun.objects.of_account(account)
    runs = mine.of_request(request) if request else mine.filter(pk=job_id)
    found = list(runs.select_related(*RELATED).order_by("created_at", "pk"))
    if not found:
        raise Http404("There is no job with this id.")
    return Job(job_id, found)
