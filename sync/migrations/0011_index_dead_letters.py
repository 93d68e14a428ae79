"""The dead letters by age. Made beside the writers, so not within a transaction."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sync", "0010_keep_the_cause_on_the_run")]

    operations = [
        AddIndexConcurrently(
            "syncrun",
            models.Index(
                fields=["-finished_at"],
                condition=models.Q(state="failed", resolved_at=None),
                name="run_dead_letters",
            ),
        )
    ]
