from django.db import migrations, models


class Migration(migrations.Migration):
    """Constant defaults: no row is rewritten."""

    dependencies = [("sync", "0013_index_what_waits_for_a_reconnect")]

    operations = [
        migrations.AddField("syncrun", "rank", models.PositiveSmallIntegerField(db_default=0, editable=False)),
        migrations.AddField("syncrun", "rises_at", models.DateTimeField(null=True, editable=False)),
        migrations.AddField("syncrun", "is_held", models.BooleanField(db_default=False, editable=False)),
    ]
