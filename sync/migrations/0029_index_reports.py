"""Built beside the workers."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sync", "0028_remember_reports")]

    operations = [
        AddIndexConcurrently(
            "syncrun",
            models.Index(
                condition=models.Q(("report_id", ""), _negated=True), fields=["report_id"], name="run_report"
            ),
        ),
    ]
