from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """Built beside the workers; the old index goes when the new ones are there."""

    atomic = False
    dependencies = [("sync", "0016_limit_kinds")]

    operations = [
        AddIndexConcurrently(
            "syncrun",
            models.Index(
                condition=models.Q(("is_held", False), ("state", "queued")),
                fields=["provider", "region", "account", "rank", "kind", "queued_at", "id"],
                name="run_claimable",
            ),
        ),
        AddIndexConcurrently(
            "syncrun",
            models.Index(
                condition=models.Q(("is_held", False), ("rank__gt", 0), ("state", "queued")),
                fields=["provider", "region", "rises_at"],
                name="run_patient",
            ),
        ),
        AddIndexConcurrently(
            "syncrun",
            models.Index(
                condition=models.Q(("state", "queued")),
                fields=["provider", "region", "is_held", "connection"],
                name="run_due",
            ),
        ),
        RemoveIndexConcurrently("syncrun", "run_queued"),
    ]
