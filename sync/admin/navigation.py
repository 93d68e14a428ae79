"""The sidebar: grouped by what one comes for. Each entry shows only to whom its page does."""

from functools import partial
from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_results.models import GroupResult, TaskResult

from sync.admin.words import listing
from sync.models import (
    Account,
    Ad,
    AdGroup,
    ApiToken,
    CallLimit,
    Campaign,
    Change,
    Connection,
    Credential,
    DeadLetter,
    Drift,
    Intervention,
    KindLimit,
    Plan,
    Queue,
    SyncRequest,
    SyncRun,
    UnknownCode,
)

Entry = tuple[type[Model], str, str]  # model, title, icon

GROUPS: dict[str, list[Entry]] = {
    "Syncing": [
        (SyncRun, "Sync history", "history"),
        (DeadLetter, "Dead letters", "unsubscribe"),
        (Connection, "Connections", "link"),
        (Queue, "Queues", "low_priority"),
        (CallLimit, "Call limits", "speed"),
        (KindLimit, "Kind limits", "category"),
        (SyncRequest, "Requests", "call_made"),
        (UnknownCode, "Unknown errors", "help"),
        (Drift, "Schema drift", "schema"),
        (Intervention, "Interventions", "front_hand"),
    ],
    "Data": [
        (Campaign, "Campaigns", "campaign"),
        (AdGroup, "Ad groups", "folder"),
        (Ad, "Ads", "ad"),
        (Change, "Changes", "difference"),
    ],
    "Access": [
        (Account, "Accounts", "domain"),
        (Plan, "Plans", "workspace_premium"),
        (Credential, "Credentials", "key"),
        (ApiToken, "API tokens", "token"),
        (User, "Users", "person"),
        (Group, "Groups", "group"),
        (LogEntry, "Audit log", "fact_check"),
    ],
    "Schedules": [
        (PeriodicTask, "Periodic tasks", "schedule"),
        (IntervalSchedule, "Intervals", "timelapse"),
        (CrontabSchedule, "Crontabs", "calendar_month"),
        (SolarSchedule, "Solar events", "sunny"),
        (ClockedSchedule, "Clocked", "alarm"),
        (TaskResult, "Task results", "task_alt"),
        (GroupResult, "Group results", "checklist"),
    ],
}


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """What settings.UNFOLD names."""
    index = {"title": "Overview", "icon": "dashboard", "link": reverse("admin:index")}
    groups = [{"title": title, "items": [_item(*entry) for entry in GROUPS[title]]} for title in GROUPS]
    return [{"items": [index]}, *groups]


def _item(model: type[Model], title: str, icon: str) -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": listing(model),
        "permission": partial(may_view, model),
    }


def may_view(model: type[Model], request: HttpRequest) -> bool:
    """Whether the user may open the model's pages."""
    return bool(admin.site.get_model_admin(model).has_view_permission(request))
