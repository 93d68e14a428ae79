"""The Celery application. Its numbers and their reasons stand in `settings/servers.py`."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, task_prerun
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "adtiger.settings")

app = Celery("adtiger")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["sync"])


@task_prerun.connect
def check_connections(**_: Any) -> None:
    """Drop dead database connections before a task.

    With CELERY_DB_REUSE_MAX Celery keeps them open between tasks, so after a restart of PostgreSQL
    every task would fail without this.
    """
    close_old_connections()


@setup_logging.connect
def keep_our_logging(**_: Any) -> None:
    """Celery leaves logging alone when somebody listens here: Django's LOGGING counts everywhere."""
