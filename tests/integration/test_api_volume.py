"""The lists at volume: a page reads about as many rows as it tells, wherever in the list it begins.

100,000 rows of each table, half of them other connections', made in the database.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from sync.engine.insights.partitions import ensure_partitions
from sync.models import Account, Connection
from tests.factories import make_connection, make_credential, make_request
from tests.integration.api_callers import Caller, by_token

ROWS = 100_000
CONNECTIONS = 200
OWN = 5  # of these are the caller's, with half of the rows
PAGE = 50

ADS = """
    INSERT INTO sync_ad (connection_id, external_id, name, status, platform_status, campaign_external_id,
        ad_group_external_id, ad_type, creative_external_id, raw, removed_at)
    SELECT (%(connections)s::uuid[])[CASE n %% 2 WHEN 0 THEN 1 + n / 2 %% 5 ELSE 6 + n %% 195 END],
        n::text, 'Ad ' || n, 'active', 'ACTIVE', (n / 1000)::text,
        (n / 100)::text, '', '', '{}', CASE WHEN n %% 100 < 10 THEN now() END
    FROM generate_series(1, %(rows)s) AS n
"""
CHANGES = """
    INSERT INTO sync_change (connection_id, run_id, entity, external_id, action, field, old, new, seen_at)
    SELECT (%(connections)s::uuid[])[CASE n %% 2 WHEN 0 THEN 1 + n / 2 %% 5 ELSE 6 + n %% 195 END],
        md5((n / 100)::text)::uuid, 'ad',
        (n / 40)::text, 'updated', 'name', '"a"', '"b"', now() - n * interval '1 minute'
    FROM generate_series(1, %(rows)s) AS n
"""
RUNS = """
    INSERT INTO sync_syncrun (id, account_id, connection_id, request_id, provider, region, kind, mode,
        trigger, priority, campaign_ids, state, created_at, queued_at, finished_at, defer_reason,
        waiting_for, worker, starts_without_progress, failed_attempts, max_attempts, checkpoint, expected,
        campaigns_count, ad_groups_count, ads_count, insights_count, changes, calls, error_category,
        error_code, error_message)
    SELECT gen_random_uuid(), c.account_id, c.id, %(request)s, c.provider, 'default', 'campaigns', 'full',
        'scheduled', 5, '[]', 'succeeded', now() - n * interval '1 minute', now(), now(), '', '', '', 0, 0, 3,
        '{}', '{}', 0, 0, 0, 0, '{}', 0, '', '', ''
    FROM generate_series(1, %(rows)s) AS n
    JOIN sync_connection c ON c.id =
        (%(connections)s::uuid[])[CASE n %% 2 WHEN 0 THEN 1 + n / 2 %% 5 ELSE 6 + n %% 195 END]
"""
INSIGHTS = """
    INSERT INTO sync_insight (connection_id, run_id, updated_at, impressions, clicks, spend_micros,
        conversion_value_micros, day, level, external_id, campaign_external_id, ad_group_external_id,
        currency, attribution, conversions, conversions_by_type, extra)
    SELECT (%(connections)s::uuid[])[CASE n %% 2 WHEN 0 THEN 1 + n / 2 %% 5 ELSE 6 + n %% 195 END],
        gen_random_uuid(), now(), 1000, 20, 5000000, 0, date '2026-09-01' + n %% 61, 'ad', (n / 1000)::text,
        '1', '2', 'EUR', 'click_date', 0, '{}', '{}'
    FROM generate_series(1, %(rows)s) AS n ON CONFLICT DO NOTHING
"""


@pytest.fixture
def caller(victor: User, account: Account) -> Caller:
    return by_token(victor, account)


@pytest.fixture
def connections(account: Account, other_account: Account) -> list[Connection]:
    theirs = make_credential(other_account)
    own = [make_connection(account) for _ in range(OWN)]
    return own + [make_connection(other_account, credential=theirs) for _ in range(CONNECTIONS - OWN)]


def fill(statement: str, connections: list[Connection]) -> None:
    request = make_request(connections[0].account)
    values: dict[str, Any] = {
        "connections": [one.pk for one in connections],
        "rows": ROWS,
        "request": request.pk,
    }
    with database.cursor() as cursor:
        cursor.execute(statement, values)
        cursor.execute("ANALYZE sync_ad, sync_change, sync_syncrun, sync_insight, sync_connection")


def read(caller: Caller, path: str, table: str, query: dict[str, str]) -> tuple[Any, int, set[str]]:
    """The answer, how many of the table's rows PostgreSQL read for it, and by which ways."""
    with CaptureQueriesContext(database) as captured:
        answer = caller.get(path, pageSize=str(PAGE), **query)
    assert answer.status == 200, answer.body
    *_, statement = [one["sql"] for one in captured if f'FROM "{table}"' in one["sql"]]
    with database.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}".replace("%", "%%"), [])
        [(plans,)] = cursor.fetchall()
    scans = [node for node in nodes(plans[0]["Plan"]) if node.get("Relation Name", "").startswith(table)]
    return answer.body, round(sum(map(rows_read, scans))), {node["Node Type"] for node in scans}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def rows_read(node: dict[str, Any]) -> float:
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    return float((node["Actual Rows"] + removed) * node["Actual Loops"])


def assert_a_page_is_cheap(caller: Caller, path: str, table: str, query: dict[str, str], most: int) -> None:
    """The first page, and the tenth."""
    body, rows, ways = read(caller, path, table, query)
    for _ in range(8):
        if body["nextCursor"]:
            body = caller.get(path, pageSize=str(PAGE), **query, cursor=body["nextCursor"]).body
    for told, place in (((rows, ways), "first"), (None, "tenth")):
        if told is None and body["nextCursor"]:
            _, rows, ways = read(caller, path, table, {**query, "cursor": body["nextCursor"]})
        assert rows <= most, f"the {place} page of {path} {query} read {rows} rows"
        assert "Seq Scan" not in ways, f"the {place} page of {path} {query}: {ways}"


def test_ads(caller: Caller, connections: list[Connection]) -> None:
    fill(ADS, connections)
    own = str(connections[0].pk)

    for query, most in (
        ({}, 3 * PAGE),
        ({"connection": own}, 3 * PAGE),
        ({"removed": "true"}, 12 * PAGE),
        ({"campaign": "7"}, 10 * PAGE),
        ({"adGroup": "77"}, PAGE),
        ({"id": "1000,2000"}, 2),
        ({"connection": own, "ordering": "-name"}, ROWS // 10),
        ({"connection": own, "search": "999"}, ROWS // 10),
    ):
        assert_a_page_is_cheap(caller, "/api/ads", "sync_ad", query, most)


def test_changes(caller: Caller, connections: list[Connection]) -> None:
    fill(CHANGES, connections)

    for query, most in (
        ({}, 11 * PAGE),  # a page of each of the five ad accounts, found and read
        ({"connection": str(connections[0].pk)}, 3 * PAGE),
        ({"ordering": "seenAt"}, 11 * PAGE),
        ({"entity": "ad", "entityId": "7"}, 11 * PAGE),
        ({"entityId": "7"}, 11 * PAGE),
        ({"run": "c4ca4238-a0b9-2382-0dcc-509a6f75849b"}, 110),  # md5 of 1
        ({"field": "name", "since": "2026-01-01"}, 11 * PAGE),
    ):
        assert_a_page_is_cheap(caller, "/api/changes", "sync_change", query, most)


def test_runs(caller: Caller, connections: list[Connection]) -> None:
    fill(RUNS, connections)

    for query, most in (
        ({}, 3 * PAGE),
        ({"provider": "meta"}, 3 * PAGE),
        ({"connection": str(connections[0].pk)}, 3 * PAGE),
        ({"kind": "campaigns", "ordering": "createdAt"}, 3 * PAGE),
    ):
        assert_a_page_is_cheap(caller, "/api/runs", "sync_syncrun", query, most)


@time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC))  # the days below are among those that are told
def test_insights(caller: Caller, connections: list[Connection]) -> None:
    ensure_partitions(date(2026, 9, 1), date(2026, 10, 31))
    fill(INSIGHTS, connections)
    days = {"level": "ad", "from": "2026-09-01", "to": "2026-10-31"}
    one = {**days, "connection": str(connections[0].pk)}

    for query, most in (
        (days, 3 * PAGE),
        (one, 3 * PAGE),
        ({**one, "ordering": "-day,-id"}, 3 * PAGE),
        ({**one, "id": "7"}, 2 * 61),
        ({**one, "from": "2026-10-31"}, 11_000 // 61),
        ({**one, "ordering": "-spendMicros"}, 11_000),
    ):
        assert_a_page_is_cheap(caller, "/api/insights", "sync_insight", query, most)
