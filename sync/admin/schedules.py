"""django-celery-beat's schedules and django-celery-results' results in unfold's look.

A handful of rows: the ticks of AdTiger itself. When connections are synced stands in the connections.
"""

from typing import Any

from django.contrib import admin
from django_celery_beat import admin as beat
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)
from django_celery_results import admin as results
from django_celery_results.models import GroupResult, TaskResult
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from sync.admin.base import Admin, Inline, LookOnly

for _model in (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
    GroupResult,
    TaskResult,
):
    admin.site.unregister(_model)


class TaskSelectWidget(UnfoldAdminSelectWidget, beat.TaskSelectWidget):
    """Beat's list of known tasks, drawn by unfold."""


class PeriodicTaskForm(beat.PeriodicTaskForm):
    """Beat's form, whose two own fields unfold doesn't reach."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["task"].widget = UnfoldAdminTextInputWidget()
        self.fields["regtask"].widget = TaskSelectWidget()


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(beat.PeriodicTaskAdmin, Admin):
    """What beat sends, and how often."""

    form = PeriodicTaskForm
    change_form_template = None  # beat's has a script within the page, for a place that unfold's pages lack
    list_filter_submit = False  # beat's own filters are links


class TasksInline(beat.PeriodicTaskInline, Inline):
    """The tasks of a schedule."""


class ScheduleAdmin(Admin):
    """A schedule and the tasks that use it."""

    inlines = (TasksInline,)


@admin.register(IntervalSchedule)
class IntervalAdmin(ScheduleAdmin):
    """Every so often."""


@admin.register(CrontabSchedule)
class CrontabAdmin(beat.CrontabScheduleAdmin, ScheduleAdmin):
    """At times of the clock."""

    inlines = ScheduleAdmin.inlines


@admin.register(SolarSchedule)
class SolarAdmin(ScheduleAdmin):
    """By the sun."""


@admin.register(ClockedSchedule)
class ClockedAdmin(ScheduleAdmin):
    """Once."""


@admin.register(TaskResult)
class TaskResultAdmin(LookOnly, results.TaskResultAdmin, Admin):
    """The newest results of the maintenance tasks."""

    list_filter_submit = False  # its own filters are links


@admin.register(GroupResult)
class GroupResultAdmin(LookOnly, results.GroupResultAdmin, Admin):
    """Results of grouped tasks; AdTiger makes none itself."""

    list_filter_submit = False  # its own filters are links
