"""Plain Celery: a message per job, two worker processes (more don't help it on two cores)."""

import os
import sys
from collections.abc import Sequence

import redis
from celery import Celery

from benchmarks.harness.cpu import Cpu, per_job
from benchmarks.harness.process import Process
from benchmarks.harness.product import CELERY, redis_url
from benchmarks.peers import history

PROCESSES = 2


def measure(kind: str, jobs: Sequence[str], *, warm: int, sandbox: str = "") -> dict[str, float]:
    """Jobs a second, and what one costs. `kind` is `empty` or `tiny`; a tiny job is the path of its call."""
    history.empty_tables()
    broker = redis_url(CELERY)
    redis.Redis.from_url(broker).flushdb()
    _send(broker, f"peer.{kind}", jobs)
    command = [sys.executable, "-m", "celery", "-A", "benchmarks.peers.celery_app", "worker"]
    command += [
        "-Q",
        "peer",
        "--concurrency",
        str(PROCESSES),
        "-l",
        "WARNING",
        "-n",
        f"peer-{os.getpid()}@bench",
    ]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    told = {"PEER_REDIS_URL": broker, "SANDBOX_URL": sandbox}
    cpu = Cpu()
    with Process("celery-peer", command, environment=told) as worker:
        cost = per_job(cpu, history.count, lambda: worker.works, warm=warm, jobs=len(jobs))
    assert history.count() == len(jobs), "Celery doubled jobs"
    return {"a second": history.rate(warm=warm), "CPU ms each": cost}


def _send(broker: str, name: str, jobs: Sequence[str]) -> None:
    """One message per job, under the settings that the worker has."""
    app = Celery("peer", set_as_current=False)
    app.config_from_object("django.conf:settings", namespace="CELERY")
    app.conf.update(broker_url=broker)
    with app.producer_or_acquire() as producer:
        for path in jobs:
            app.send_task(name, (path,), queue="peer", producer=producer)
