"""The product, set up on the benchmarks' own servers as soon as this is imported.

Guarantee: whatever DATABASE_URL says, a benchmark touches only the servers below `.adtiger/bench` (or
ADTIGER_BENCH_HOME), and there only the database and the Valkey numbers named here.
"""

import os
import signal
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Any

import django
import psycopg
import redis
from django.core.management import call_command
from django.db import connection

from adtiger import embedded
from providers.budget import BudgetStore

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(os.environ.get("ADTIGER_BENCH_HOME", ROOT / ".adtiger" / "bench")).resolve()
DATABASE = "adtiger_bench"
PRODUCT, BULLMQ, CELERY = 8, 9, 10  # Valkey's numbers: others of the same home (tests) use the low ones


def redis_url(number: int) -> str:
    """One of the numbered databases of the benchmarks' Valkey."""
    return f"{embedded.redis_url(HOME).rpartition('/')[0]}/{number}"


def _set_up() -> None:
    server = embedded.database_url(HOME).rpartition("/")[0]
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # one that is stopped ends its peers, too
    for name in ("CELERY_BROKER_URL", "BULLMQ_REDIS_URL"):
        os.environ.pop(name, None)
    os.environ |= {
        "ADTIGER_ENV": "development",
        "ADTIGER_HOME": str(HOME),
        "DJANGO_SETTINGS_MODULE": "adtiger.settings",
        "DATABASE_URL": f"{server}/{DATABASE}",
        "REDIS_URL": redis_url(PRODUCT),
        "LOG_LEVEL": "WARNING",
    }
    # whitenoise: outside production nobody ran collectstatic, and need not
    warnings.filterwarnings("ignore", "No directory at:", UserWarning)
    django.setup()


def ready_database(name: str = DATABASE) -> None:
    """Work on a database with this checkout's schema; rows of an earlier benchmark may be left in it.

    Its comment tells which migrations made it: those of another checkout are not trusted.
    """
    use_database(name)
    made_by = _migrations()
    with psycopg.connect(embedded.database_url(HOME), autocommit=True) as server:
        found = server.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", (name,)
        ).fetchone()
        if found != (made_by,):
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {name}")
            call_command("migrate", verbosity=0)
            server.execute(f"COMMENT ON DATABASE {name} IS '{made_by}'")
    forget_keys()


def drop_database(name: str) -> None:
    """Give its space back."""
    connection.close()
    with psycopg.connect(embedded.database_url(HOME), autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _migrations() -> str:
    """A digest of our migrations, SQL included."""
    files = sorted(
        path for path in (ROOT / "sync" / "migrations").rglob("*") if path.suffix in (".py", ".sql")
    )
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]


def use_database(name: str) -> None:
    """From here on, this process works on that database."""
    connection.close()
    connection.settings_dict["NAME"] = name


def forget_keys() -> None:
    """Empty the benchmarks' Valkey numbers: hints, the peers' queues, and budgets, whose memory is opened:
    a store that lost it is told of runs in flight, which is another question."""
    for number in (PRODUCT, BULLMQ, CELERY):
        redis.Redis.from_url(redis_url(number)).flushdb()
    BudgetStore.connect(redis_url(PRODUCT)).refill(())


def execute(statement: str, values: dict[str, Any] | None = None) -> None:
    """Run SQL in the benchmarks' database, committed at once."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


_set_up()
