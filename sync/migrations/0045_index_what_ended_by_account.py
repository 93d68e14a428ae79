"""What an account's runs ended as since the daily statistic. Built beside the workers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sync", "0044_count_ended_runs_by_day")]

    operations = [
        AddIndexConcurrently(
            "syncrun",
            models.Index(
                fields=["account", "finished_at"],
                condition=models.Q(finished_at__isnull=False),
                name="run_account_finished",
            ),
        ),
    ]
