"""Since when a grant is dead. Empty for those lost before: their runs wait from when they were due."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0011_index_dead_letters")]

    operations = [
        migrations.AddField(
            "credential", "lost_at", models.DateTimeField(blank=True, editable=False, null=True)
        )
    ]
