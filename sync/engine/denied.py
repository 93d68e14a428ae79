"""Go on where the platform denies only a part of an ad account.

A permission may lack for one edge while the others answer. Whether it is the whole account the account itself
tells, for one call; then nothing is read any more, for each refusal counts against the app.
"""

from providers.errors import AccessDenied
from sync.engine.turn import Turn
from sync.models import SyncRun


def check_the_rest(turn: Turn, exc: AccessDenied) -> None:
    """Raises `exc` where not only a part is denied."""
    if turn.account is not None:
        return
    try:
        turn.account = turn.client.account()
    except AccessDenied:
        raise exc from None


def note_denied(run: SyncRun, what: str, exc: AccessDenied) -> None:
    """Say in the run's words what could not be read, and why; in the transaction that is open."""
    add_note(run, f"{run.get_provider_display()} does not let the {what} be read: {exc}.")


def add_note(run: SyncRun, note: str) -> None:
    """Once, in the transaction that is open."""
    if note not in run.access_issues:
        run.access_issues = [*run.access_issues, note]
        SyncRun.objects.filter(pk=run.pk).update(access_issues=run.access_issues)
