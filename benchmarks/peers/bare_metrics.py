"""Metrics written by hand: the limit (COPY into a table without keys), and COPY with a MERGE."""

from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple, cast

import orjson
import requests
from django.db import connection, transaction
from psycopg import Cursor

from benchmarks.harness.product import execute
from benchmarks.peers.walk import Row, Walk
from providers.meta.fields import INSIGHT_FIELDS, STATUSES
from providers.meta.reports import PAGE_ROWS
from providers.records import Level, Stream

SHOWN = {"field": "ad.effective_status", "operator": "IN", "value": STATUSES[Stream.ADS]}
COLUMNS = "id, day, impressions, clicks, spend, reach, raw"
_TABLE = """
    DROP TABLE IF EXISTS peer_metrics;
    CREATE TABLE peer_metrics (
        id text NOT NULL, day date NOT NULL, impressions bigint, clicks bigint, spend numeric, reach bigint,
        raw jsonb
    );
"""
_MERGE = """
    MERGE INTO peer_metrics t USING incoming s ON t.id = s.id AND t.day = s.day
    WHEN MATCHED AND (t.*) IS DISTINCT FROM (s.*) THEN UPDATE SET
        impressions = s.impressions, clicks = s.clicks, spend = s.spend, reach = s.reach, raw = s.raw
    WHEN NOT MATCHED THEN INSERT VALUES (s.*)
"""


class Metrics(NamedTuple):
    """Which days of which account's ads."""

    walk: Walk
    since: date
    until: date

    def pages(self) -> Iterator[list[Row]]:
        """What a finished report holds; it is made once, and ready."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.walk.token}"
        base = f"{self.walk.url}/meta/v26.0"
        asked = {
            "level": "ad",
            "fields": INSIGHT_FIELDS[Level.AD],
            "time_increment": "1",
            "filtering": orjson.dumps([SHOWN]).decode(),
            "time_range": orjson.dumps({"since": self.since, "until": self.until}).decode(),
        }
        report = session.post(f"{base}/{self.walk.account}/insights", data=asked).json()["report_run_id"]
        while session.get(f"{base}/{report}").json()["async_status"] != "Job Completed":
            pass
        params = {"limit": str(PAGE_ROWS)}
        while True:
            body = orjson.loads(session.get(f"{base}/{report}/insights", params=params).content)
            yield body["data"]
            if "next" not in body.get("paging", {}):
                return
            params["after"] = body["paging"]["cursors"]["after"]


def empty(*, keys: bool) -> None:
    """The table, new."""
    execute(_TABLE + ("ALTER TABLE peer_metrics ADD PRIMARY KEY (id, day)" if keys else ""))


def limit(metrics: Metrics) -> None:
    """Fetch, parse and COPY: nobody who stores the rows can be faster."""
    empty(keys=False)
    with transaction.atomic():
        _copy("peer_metrics", metrics)


def merge(metrics: Metrics) -> None:
    """COPY into a temporary table and one MERGE; no completeness, nothing to resume by."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE incoming (LIKE peer_metrics) ON COMMIT DROP")
        _copy("incoming", metrics)
        cursor.execute("ANALYZE incoming")
        cursor.execute(_MERGE)


def _copy(table: str, metrics: Metrics) -> None:
    with connection.cursor() as wrapper:
        cursor = cast("Cursor[Any]", wrapper.cursor)
        with cursor.copy(f"COPY {table} ({COLUMNS}) FROM STDIN") as copy:
            for page in metrics.pages():
                for row in page:
                    copy.write_row(_row(row))


def _row(row: Row) -> tuple[Any, ...]:
    get = row.get
    counts = (get("impressions"), get("clicks"), get("spend"), get("reach"))
    return (row["ad_id"], row["date_start"], *counts, orjson.dumps(row).decode())
