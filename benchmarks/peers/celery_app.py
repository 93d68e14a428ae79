"""Plain Celery, a message per job: the worker's side.

The product's Celery settings are its best ones (late acknowledgement, prefetch 1, no results, database
connections kept), so it has the same; statements without the ORM, for those are faster.
"""

import os
import threading
from datetime import UTC, datetime
from typing import Any

import orjson
import requests
from celery import Celery, Task
from celery.signals import task_prerun
from django.db import close_old_connections, connection

HISTORY = "INSERT INTO peer_history (job, state, started_at) VALUES (%s, 'succeeded', %s)"
CAMPAIGNS = """
    INSERT INTO peer_campaign (account, external_id, name, status, raw)
    SELECT %s, row->>'id', row->>'name', row->>'status', row FROM jsonb_array_elements(%s::jsonb) row
    ON CONFLICT (account, external_id) DO UPDATE
    SET name = excluded.name, status = excluded.status, raw = excluded.raw, synced_at = now()
"""

app = Celery("peer")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.update(broker_url=os.environ["PEER_REDIS_URL"])
_local = threading.local()


@task_prerun.connect
def check_connections(**_: Any) -> None:
    """What makes kept database connections safe."""
    close_old_connections()


@app.task(name="peer.empty", bind=True)
def empty(self: "Task[Any, Any]", path: str) -> None:
    """Nothing but the row of history."""
    with connection.cursor() as cursor:
        cursor.execute(HISTORY, (self.request.id, datetime.now(UTC)))


@app.task(name="peer.tiny", bind=True)
def tiny(self: "Task[Any, Any]", path: str) -> None:
    """One call, its rows written, one row of history."""
    started = datetime.now(UTC)
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
        _local.session.headers["Authorization"] = f"Bearer {os.environ['SANDBOX_TOKEN']}"
    answer = _local.session.get(os.environ["SANDBOX_URL"] + path, timeout=30)
    answer.raise_for_status()
    rows = orjson.loads(answer.content)["data"]
    with connection.cursor() as cursor:
        cursor.execute(CAMPAIGNS, (path, orjson.dumps(rows).decode()))
        cursor.execute(HISTORY, (self.request.id, started))
