"""A run may wait for several reports, and the hook of any of them wakes it.

The column of the one stays until 0042, empty by default: processes of the code before this read it. The
index is built beside the workers.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sync", "0037_one_turn_for_all_kinds")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveIndex(model_name="syncrun", name="run_report"),
                migrations.RemoveField(model_name="syncrun", name="report_id"),
            ]
        ),
        migrations.AddField(
            model_name="syncrun",
            name="report_ids",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=40),
                blank=True,
                db_default=[],
                default=list,
                editable=False,
                help_text="The platform's reports that it waits for.",
                size=None,
            ),
        ),
        AddIndexConcurrently(
            "syncrun",
            django.contrib.postgres.indexes.GinIndex(
                condition=models.Q(("defer_reason", "report"), ("state", "deferred")),
                fastupdate=False,
                fields=["report_ids"],
                name="run_reports",
            ),
        ),
    ]
