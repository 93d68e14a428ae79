"""The end of a slice: what vanished goes, and its days are written down as complete.

A platform sends no row for a day on which nothing was delivered. So what a complete reading of a day does
not tell any more was restated to nothing, and its row is deleted: it would stand in every sum.
"""

from datetime import timedelta
from typing import Any

import orjson
from django.conf import settings

from providers.records import InsightRecord, InsightSlice
from sync import prepared
from sync.engine.incoming import as_array, as_json
from sync.engine.insights.slices import part_of
from sync.engine.insights.work import Begun
from sync.models import SyncRun

SEE = f"""
    INSERT INTO sync_seenids (run_id, entity, external_ids) VALUES (%(run)s, %(level)s, {as_array("seen")})
"""  # noqa: S608  (our own words)
# Each row of it is one page's, so all its keys are of one slice, and the first tells which: of a day that is
# read in parts it is the part's name.
UNSEE = """
    DELETE FROM sync_seenids WHERE run_id = %(run)s AND entity = %(level)s
        AND left(external_ids[1], 10)::date BETWEEN %(since)s AND %(until)s
        AND %(part)s IN ('', substr(external_ids[1], 12))
"""
UNSEE_ALL_BUT = """
    DELETE FROM sync_seenids WHERE run_id = %(run)s AND NOT EXISTS (
        SELECT FROM jsonb_to_recordset(%(kept)s::jsonb) AS kept (level text, since date, until date)
        WHERE kept.level = entity AND left(external_ids[1], 10)::date BETWEEN kept.since AND kept.until
    )
"""
OF_SLICE = """
    connection_id = %(connection)s AND level = %(level)s AND day BETWEEN %(since)s AND %(until)s
    AND campaign_external_id COLLATE "C" >= %(first_campaign)s
    AND (%(end_campaign)s = '' OR campaign_external_id COLLATE "C" < %(end_campaign)s)
    AND ad_group_external_id COLLATE "C" >= %(first_ad_group)s
    AND (%(end_ad_group)s = '' OR ad_group_external_id COLLATE "C" < %(end_ad_group)s)
"""
VANISH = f"""
    WITH gone AS (
        SELECT day, external_id FROM sync_insight WHERE {OF_SLICE}
        EXCEPT
        SELECT left(key, 10)::date, substr(key, 12) FROM (
            SELECT unnest(external_ids) AS key FROM sync_seenids
            WHERE run_id = %(run)s AND entity = %(level)s
            UNION ALL SELECT jsonb_array_elements_text(%(seen)s::jsonb)
        ) AS seen
    )
    DELETE FROM sync_insight AS t USING gone
    WHERE t.connection_id = %(connection)s AND t.level = %(level)s
      AND t.day BETWEEN %(since)s AND %(until)s AND t.day = gone.day AND t.external_id = gone.external_id
"""  # noqa: S608  (our own words)
COMPLETE = """
    INSERT INTO sync_insightday (connection_id, level, day, read_at, rows, attribution, run_id, is_final)
    SELECT %(connection)s, %(level)s, day::date, %(read_at)s, coalesce(there.rows, 0), %(attribution)s,
        %(run)s, day::date < %(final_before)s
    FROM generate_series(%(since)s::date, %(until)s::date, interval '1 day') AS day
    LEFT JOIN (
        SELECT day, count(*) AS rows FROM sync_insight
        WHERE connection_id = %(connection)s AND level = %(level)s AND day BETWEEN %(since)s AND %(until)s
        GROUP BY day
    ) AS there USING (day)
    ON CONFLICT (connection_id, level, day) DO UPDATE SET
        read_at = excluded.read_at, rows = excluded.rows, attribution = excluded.attribution,
        run_id = excluded.run_id, is_final = excluded.is_final
"""
ANY = f"SELECT EXISTS (SELECT FROM sync_insight WHERE {OF_SLICE})"  # noqa: S608  (our own words)


def any_rows(run: SyncRun, slice: InsightSlice) -> bool:
    """Whether there are rows already, which may vanish."""
    [(there,)] = prepared.fetch(ANY, _values(run, slice))
    return bool(there)


def remember_seen(run: SyncRun, slice: InsightSlice, records: list[InsightRecord]) -> None:
    """Keep what a page told until its slice is read to its end."""
    if seen := _keys(records):
        part = part_of(slice)
        name = [f"{slice.since} {part}"] if part else []
        prepared.run(SEE, {**_values(run, slice), "seen": as_json(name + seen)})


def forget_seen(run: SyncRun, slice: InsightSlice) -> None:
    """The slice is read from its beginning."""
    prepared.run(UNSEE, _values(run, slice))


def forget_all_but(run: SyncRun, slices: list[InsightSlice]) -> None:
    """What the run read to its end may be read once more, and then be gone."""
    kept = [{"level": one.level.value, "since": str(one.since), "until": str(one.until)} for one in slices]
    prepared.run(UNSEE_ALL_BUT, {"run": run.pk, "kept": orjson.dumps(kept).decode()})


def remove_vanished(run: SyncRun, slice: InsightSlice, last_page: list[InsightRecord]) -> int:
    """Delete what neither the last page nor any before it told; returns how many rows."""
    return prepared.run(VANISH, {**_values(run, slice), "seen": as_json(_keys(last_page))})


def complete(run: SyncRun, begun: Begun, attribution: str) -> None:
    """Write down that no row of the slice's days is missing."""
    read_on = run.connection.day_of(begun.began_at)
    told = {
        "read_at": begun.began_at,
        "attribution": attribution,
        "final_before": read_on - timedelta(days=settings.INSIGHTS_LATE_DAYS),
    }
    prepared.run(COMPLETE, _values(run, begun.slice) | told)


def _keys(records: list[InsightRecord]) -> list[str]:
    return [f"{record.day} {record.external_id}" for record in records]


def _values(run: SyncRun, slice: InsightSlice) -> dict[str, Any]:
    return {
        "run": run.pk,
        "connection": run.connection_id,
        "level": slice.level.value,
        "since": slice.since,
        "until": slice.until,
        "part": part_of(slice),
        "first_campaign": slice.campaigns.first,
        "end_campaign": slice.campaigns.end,
        "first_ad_group": slice.ad_groups.first,
        "end_ad_group": slice.ad_groups.end,
    }
