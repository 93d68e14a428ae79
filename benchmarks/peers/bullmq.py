"""BullMQ in one Node process, on the same Valkey and PostgreSQL; its packages are installed on demand."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from benchmarks.harness.product import BULLMQ, redis_url
from benchmarks.peers import history

FOLDER = Path(__file__).parent / "bullmq"
PATIENCE = 300  # seconds for one round; it takes a few


@cache
def node_version() -> str:
    """Of the Node on the PATH; nothing when there is none."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return ""
    return subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603


@cache
def is_there() -> bool:
    """Whether it can take part; says so when not. Installs exactly what the lock file names."""
    if not node_version():
        print("\n**BullMQ is left out: there is no node with npm on the PATH.**")
        return False
    if not (FOLDER / "node_modules" / ".package-lock.json").exists():
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        if subprocess.run(install, cwd=FOLDER, check=False).returncode != 0:  # noqa: S603
            print("\n**BullMQ is left out: `npm ci` in benchmarks/peers/bullmq failed.**")
            return False
    return True


def rate(kind: str, jobs: Sequence[str], *, concurrency: int, warm: int, sandbox: str = "") -> float:
    """Jobs a second. `kind` is `empty` or `tiny`; a tiny job is the path of its call."""
    history.empty_tables()
    environment = os.environ | {"PEER_REDIS_URL": redis_url(BULLMQ), "SANDBOX_URL": sandbox}
    subprocess.run(  # noqa: S603  (our own program)
        ["node", "worker.mjs", kind, str(concurrency)],  # noqa: S607
        cwd=FOLDER,
        env=environment,
        input="\n".join(jobs),
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    assert history.count() == len(jobs), "BullMQ lost or doubled jobs"
    return history.rate(warm=warm)
