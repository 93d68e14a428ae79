"""How values look: colours of states, moments, durations, money, and links between pages."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from unfold.utils import display_for_label

from sync.models import SyncRun
from sync.models.choices import (
    ChangeAction,
    ConnectionStatus,
    CredentialStatus,
    Health,
    Outcome,
    RunState,
)

MICROS = 1_000_000

# unfold's colours; what is missing is shown in grey
RUN_COLOURS = {
    RunState.QUEUED: "info",
    RunState.RUNNING: "primary",
    RunState.DEFERRED: "warning",
    RunState.SUCCEEDED: "success",
    RunState.FAILED: "danger",
}
HEALTH_COLOURS = {Health.HEALTHY: "success", Health.PARTIAL: "warning", Health.UNHEALTHY: "danger"}
OUTCOME_COLOURS = {
    Outcome.SUCCEEDED: "success",
    Outcome.DEFERRED: "warning",
    Outcome.FAILED: "danger",
    Outcome.LOST: "danger",
}
CONDITION_COLOURS = {
    ConnectionStatus.ACTIVE: "success",
    "paused": "warning",
    CredentialStatus.RECONNECT_NEEDED: "danger",
    ConnectionStatus.ACCESS_DENIED: "danger",
}
ENTITY_COLOURS = {"active": "success", "paused": "warning"}
CHANGE_COLOURS = {
    ChangeAction.CREATED: "success",
    ChangeAction.UPDATED: "info",
    ChangeAction.REMOVED: "danger",
    ChangeAction.RETURNED: "success",
}


def badge(value: str, text: str, colours: Mapping[Any, str]) -> SafeString:
    """A coloured label, the same in lists and on pages."""
    drawn: SafeString = display_for_label((value, text), "-", colours)
    return drawn


def spoken(word: str) -> str:
    """`reconnect_needed` as people write it."""
    return word.replace("_", " ")


def moment(at: datetime | None) -> str:
    """A moment that sorts and compares at a glance."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}" if at else "-"


def brief(at: datetime | None) -> str:
    """The same without the year, for narrow columns."""
    return f"{timezone.localtime(at):%d %b %H:%M:%S}" if at else "-"


def nowrap(text: str) -> SafeString:
    """Keep it on one line."""
    return format_html('<span class="whitespace-nowrap">{}</span>', text)


def sentences(told: Iterable[str]) -> SafeString:
    """Each on a line of its own."""
    return format_html_join("", "<p>{}</p>", ((one,) for one in told)) or nowrap("-")


def subtle(text: str) -> SafeString:
    """A second line below what matters."""
    return format_html(
        '<span class="text-font-subtle-light dark:text-font-subtle-dark whitespace-nowrap">{}</span>', text
    )


def duration(length: timedelta | None) -> str:
    """In the units that its length asks for."""
    if length is None:
        return "-"
    if length < timedelta(seconds=1):
        return f"{length / timedelta(milliseconds=1):.0f} ms"
    if length < timedelta(seconds=10):
        return f"{length.total_seconds():.1f} s"
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} m"
    return f"{minutes} m {seconds:02} s" if minutes else f"{seconds} s"


def run_duration(run: SyncRun) -> str:
    """From its latest start to its end, or to now while it runs."""
    if run.started_at is None or (run.finished_at is None and run.state != RunState.RUNNING):
        return "-"
    return duration((run.finished_at or timezone.now()) - run.started_at)


def money(micros: int | None, currency: str) -> str:
    """Micros as an amount of the ad account's currency."""
    return "-" if micros is None else f"{Decimal(micros) / MICROS:,.2f} {currency}".strip()


def page(row: Model) -> str:
    """The URL of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])


def listing(model: type[Model], **filters: Any) -> str:
    """The URL of a model's list, narrowed by `filters`."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(filters)}" if filters else url


def link(url: str, text: object) -> SafeString:
    """A link that looks like one."""
    return format_html('<a href="{}" class="text-link">{}</a>', url, text)
