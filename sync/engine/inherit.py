"""What Meta's parents imply for the status of what is below them.

A paused campaign makes its ads `CAMPAIGN_PAUSED`, but nobody promises that their `updated_time` moves: an
incremental pass may read the campaign alone. The full pass confirms what is derived here.
"""

from datetime import datetime

from sync import prepared
from sync.engine.chunk import chunk
from sync.engine.streams import TARGETS
from sync.engine.turn import Turn
from sync.models.choices import EntityKind, Provider

# Told as a change since then: by this run, or by one before it that came to no end.
CHANGED = """
    SELECT DISTINCT entity, external_id FROM sync_change
    WHERE connection_id = %(connection)s AND seen_at >= %(since)s
      AND entity IN ('campaign', 'ad_group') AND field = 'platform_status'
"""
# An archived or deleted parent goes before what a child says of itself, a paused one after it. Where parents
# say nothing any more, the child is what Meta told when it was read, and runs where a parent spoke for it.
_DERIVE = """
    WITH child AS (
        SELECT child.id, child.raw ->> 'status' AS own, child.raw ->> 'effective_status' AS read,
            campaign.raw ->> 'status' AS campaign, {ad_group} AS ad_group
        FROM {table} child
        JOIN sync_campaign campaign ON campaign.connection_id = child.connection_id
            AND campaign.external_id = child.campaign_external_id
        {join}
        WHERE child.connection_id = %(connection)s AND child.removed_at IS NULL AND ({below})
    ), derived AS (
        SELECT id, own, CASE
            WHEN campaign IN ('ARCHIVED', 'DELETED') THEN campaign
            WHEN ad_group IN ('ARCHIVED', 'DELETED') THEN ad_group
            WHEN own <> 'ACTIVE' THEN own
            WHEN campaign = 'PAUSED' THEN 'CAMPAIGN_PAUSED'
            WHEN ad_group = 'PAUSED' THEN 'ADSET_PAUSED'
            WHEN read IN ('ARCHIVED', 'DELETED', 'CAMPAIGN_PAUSED', 'ADSET_PAUSED') THEN 'ACTIVE'
            ELSE read END AS word
        FROM child
    ), written AS (
        UPDATE {table} row SET platform_status = word, status = CASE
            WHEN word = 'ARCHIVED' THEN 'archived'
            WHEN word = 'DELETED' THEN 'removed'
            WHEN own = 'ACTIVE' THEN 'active'
            WHEN own = 'PAUSED' THEN 'paused'
            ELSE status END
        FROM derived WHERE derived.id = row.id AND row.platform_status <> word
        RETURNING row.external_id, old.status AS status, new.status AS new_status,
            old.platform_status AS platform_status, new.platform_status AS new_platform_status
    ), told AS (
        INSERT INTO sync_change (connection_id, run_id, entity, external_id, action, field, old, new)
        SELECT %(connection)s, %(run)s, '{entity}', external_id, 'updated',
            field, to_jsonb(was), to_jsonb(is_now)
        FROM written CROSS JOIN LATERAL (VALUES
            ('status', status, new_status), ('platform_status', platform_status, new_platform_status)
        ) AS one (field, was, is_now)
        WHERE was <> is_now
    )
    SELECT count(*) FROM written
"""
_AD_GROUPS, _ADS = (target for target in TARGETS.values() if target.entity != EntityKind.CAMPAIGN)
BELOW_CAMPAIGNS = "child.campaign_external_id = ANY(%(campaigns)s)"
DERIVE = (
    _DERIVE.format(
        table=_AD_GROUPS.table,
        entity=_AD_GROUPS.entity.value,
        ad_group="NULL",
        join="",
        below=BELOW_CAMPAIGNS,
    ),
    _DERIVE.format(
        table=_ADS.table,
        entity=_ADS.entity.value,
        ad_group="ad_group.raw ->> 'status'",
        join="""LEFT JOIN sync_adgroup ad_group ON ad_group.connection_id = child.connection_id
            AND ad_group.external_id = child.ad_group_external_id""",
        below=f"{BELOW_CAMPAIGNS} OR child.ad_group_external_id = ANY(%(ad_groups)s)",
    ),
)


def inherit(turn: Turn, since: datetime) -> None:
    """Derive the status of what is below parents whose own changed since then, with the changes told."""
    run = turn.run
    if run.provider != Provider.META:
        return  # Google's statuses are each entity's own
    changed = prepared.fetch(CHANGED, {"connection": run.connection_id, "since": since})
    if not changed:
        return
    parents = {
        f"{kind}s": [external_id for entity, external_id in changed if entity == kind]
        for kind in (EntityKind.CAMPAIGN, EntityKind.AD_GROUP)
    }
    with chunk(run, turn.lease, calls=turn.client.calls):
        for statement in DERIVE:
            [(written,)] = prepared.fetch(
                statement, {"connection": run.connection_id, "run": run.pk, **parents}
            )
            if written:
                run.changes["updated"] = run.changes.get("updated", 0) + written
