"""BullMQ in one Node process, on the same Valkey and PostgreSQL; its packages are installed on demand."""

import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import redis

from benchmarks.harness.cpu import PATIENCE, Cpu, per_job
from benchmarks.harness.platform import Platform
from benchmarks.harness.process import Process
from benchmarks.harness.product import BULLMQ, HOME, redis_url
from benchmarks.peers import history

FOLDER = Path(__file__).parent / "bullmq"


@cache
def node_version() -> str:
    """Of the Node on the PATH; nothing when there is none."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return ""
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()


@cache
def is_there() -> bool:
    """Whether it can take part; says so when not. Installs exactly what the lock file names."""
    if not node_version():
        print("\n**BullMQ is left out: there is no node with npm on the PATH.**")
        return False
    if not (FOLDER / "node_modules" / ".package-lock.json").exists():
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        if subprocess.run(install, cwd=FOLDER, check=False).returncode != 0:
            print("\n**BullMQ is left out: `npm ci` in benchmarks/peers/bullmq failed.**")
            return False
    return True


def measure(
    kind: str, jobs: Sequence[str], *, concurrency: int, warm: int, sandbox: str = ""
) -> dict[str, float]:
    """Jobs a second, and what one costs. `kind` is `empty` or `tiny`; a tiny job is the path of its call."""
    history.empty_tables()
    _empty_queues()
    listed = HOME / "jobs.txt"
    listed.write_text("\n".join(jobs))
    command = ["node", "worker.mjs", kind, str(concurrency), str(listed)]
    told = {"PEER_REDIS_URL": redis_url(BULLMQ), "SANDBOX_URL": sandbox}
    cpu = Cpu()
    with Process("bullmq-peer", command, FOLDER, told) as worker:
        cost = per_job(cpu, history.count, lambda: worker.works, warm=warm, jobs=len(jobs))
        worker.wait()
    assert history.count() == len(jobs), "BullMQ doubled jobs"
    return {"a second": history.rate(warm=warm), "CPU ms each": cost}


def starts(
    platform: Platform, asked: Sequence[str], waiting: Sequence[str], *, slots: int
) -> dict[str, float]:
    """How long an urgent job waits for its start while others wait, too; each job makes three calls."""
    _empty_queues()
    listed = HOME / "jobs.json"
    listed.write_text(
        json.dumps(
            {
                "asked": list(map(_path, asked)),
                "waiting": list(map(_path, waiting)),
                "pause": platform.latency * 1000,  # before each, at random
            }
        )
    )
    told = {"PEER_REDIS_URL": redis_url(BULLMQ), "SANDBOX_URL": platform.url}
    answer = subprocess.run(
        ["node", "starts.mjs", str(slots), str(listed)],
        cwd=FOLDER,
        env=os.environ | told,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    return percentiles(json.loads(answer.stdout))


def _empty_queues() -> None:
    redis.Redis.from_url(redis_url(BULLMQ)).flushdb()


def percentiles(waits: Sequence[float]) -> dict[str, float]:
    """Of waits in milliseconds."""
    ordered = sorted(waits)
    return {"p50 in ms": statistics.median(ordered), "p99 in ms": ordered[(len(ordered) * 99 - 1) // 100]}


def _path(account: str) -> str:
    return f"/meta/v26.0/{account}/campaigns?fields=id,name,status"
