"""The newest changes to the last one, for pages that go on where one ended. Built beside the workers."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sync", "0035_drop_indexes_that_others_begin_with")]

    operations = [
        AddIndexConcurrently(
            "change",
            models.Index(fields=["connection", "-seen_at", "-id"], name="change_newest_first"),
        ),
        RemoveIndexConcurrently("change", "change_newest"),
    ]
