"""Metrics whose connection is gone.

Deleting a connection deletes its metrics, too; but a page that is written at that very moment commits behind
it, and no constraint sees it: `sync.models.insight` tells why there is none.
"""

from django.db import connection as database

# From owner to owner by the key, so that each costs a look per month, however many rows it has.
DELETE = """
    WITH RECURSIVE owners AS (
        (SELECT connection_id FROM sync_insight ORDER BY connection_id LIMIT 1)
        UNION ALL
        SELECT (
            SELECT t.connection_id FROM sync_insight AS t WHERE t.connection_id > owners.connection_id
            ORDER BY t.connection_id LIMIT 1
        ) FROM owners WHERE owners.connection_id IS NOT NULL
    ), gone AS (
        SELECT connection_id FROM owners
        WHERE NOT EXISTS (SELECT FROM sync_connection WHERE id = owners.connection_id)
    )
    DELETE FROM sync_insight USING gone WHERE sync_insight.connection_id = gone.connection_id
"""


def remove_ownerless() -> int:
    """Delete them; returns how many rows."""
    with database.cursor() as cursor:
        cursor.execute(DELETE)
        return int(cursor.rowcount)
