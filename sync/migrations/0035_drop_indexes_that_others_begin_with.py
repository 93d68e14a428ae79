"""Each change of a run's state writes to every index of the table; these are the first columns of others.

A lease is no longer in an index either, so that its renewal and a chunk's end write to none.
"""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.migrations.operations.base import Operation

DOUBLE = (  # model, field, its related name, the table's index
    ("syncrun", "account", "runs", "sync_syncrun_account_id_fe830d5a"),
    ("syncrun", "connection", "runs", "sync_syncrun_connection_id_718b532e"),
    ("syncattempt", "run", "attempts", "sync_syncattempt_run_id_ff4802dc"),
    ("seenids", "run", "seen", "sync_seenids_run_id_6a2bd764"),
    ("lane", "queue", "lanes", "sync_lane_queue_id_7396e43a"),
)
TARGETS = {"account": "sync.account", "connection": "sync.connection", "run": "sync.syncrun", "queue": "sync.queue"}


def _without(model: str, field: str, related_name: str, index: str) -> Operation:
    key = models.ForeignKey(
        db_index=False,
        on_delete=django.db.models.deletion.CASCADE,
        related_name=related_name,
        to=TARGETS[field],
    )
    return migrations.SeparateDatabaseAndState(
        database_operations=[
            migrations.RunSQL(
                f"DROP INDEX CONCURRENTLY IF EXISTS {index}",
                f"CREATE INDEX CONCURRENTLY {index} ON sync_{model} ({field}_id)",
            )
        ],
        state_operations=[migrations.AlterField(model, field, key)],
    )


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sync", "0034_claim_in_few_steps")]

    operations = [
        AddIndexConcurrently(
            "syncrun",
            models.Index(
                condition=models.Q(("state", "running")), fields=["provider", "region"], name="run_in_slot"
            ),
        ),
        RemoveIndexConcurrently("syncrun", "run_running"),
        *(_without(*double) for double in DOUBLE),
        # room for a new version of a row beside the old one, which then needs no new entries in the indexes
        migrations.RunSQL(
            "ALTER TABLE sync_syncrun SET (fillfactor = 80)", "ALTER TABLE sync_syncrun RESET (fillfactor)"
        ),
    ]
