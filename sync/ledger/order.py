"""The order of starting, in SQL: the claim and the position in the queue read the same text.

Class first (manual 1, scheduled 5, retry 10; a run that waited longer than its patience rises one
class, until the first), then fair share between accounts, then age.
"""

from typing import Any

from django.conf import settings

# Runs that may start as soon as a slot is free. Pauses and lost grants are conditions, not states.
CLAIMABLE = """
    sync_syncrun run
    JOIN sync_connection connection ON connection.id = run.connection_id
    JOIN sync_credential credential ON credential.id = connection.credential_id
    JOIN sync_account account ON account.id = run.account_id
    JOIN sync_queue queue ON queue.provider = run.provider AND queue.region = run.region
    LEFT JOIN sync_lane lane ON lane.queue_id = queue.id AND lane.account_id = run.account_id
    WHERE run.provider = %(provider)s AND run.region = %(region)s AND run.state = 'queued'
      AND connection.status = 'active' AND credential.status = 'active'
      AND connection.paused_at IS NULL AND account.paused_at IS NULL AND queue.paused_at IS NULL
      AND NOT EXISTS (
          SELECT FROM sync_syncrun other
          WHERE other.connection_id = run.connection_id AND other.state = 'running')
"""

CLASS = """
    GREATEST(0, CASE run.priority WHEN 1 THEN 0 WHEN 5 THEN 1 ELSE 2 END - floor(
        GREATEST(0, extract(epoch FROM statement_timestamp() - run.queued_at))
        / CASE WHEN run.trigger = 'manual' AND run.priority <> 5 THEN %(manual_patience)s
               ELSE %(other_patience)s END))
"""

START_TAG = "GREATEST(COALESCE(lane.tag, 0), queue.virtual_time)"

ORDER = f"{CLASS}, {START_TAG}, run.queued_at, run.id"


def parameters(provider: str, region: str) -> dict[str, Any]:
    """The values that the texts above name."""
    return {
        "provider": provider,
        "region": region,
        "manual_patience": settings.PATIENCE["manual"].total_seconds(),
        "other_patience": settings.PATIENCE["other"].total_seconds(),
    }
