from django.db import migrations, models


class Migration(migrations.Migration):
    """Constant defaults: no row is rewritten."""

    dependencies = [("sync", "0009_measure_googles_pace")]

    operations = [
        migrations.AddField("syncrun", "rank", models.PositiveSmallIntegerField(db_default=0, editable=False)),
        migrations.AddField("syncrun", "is_held", models.BooleanField(db_default=False, editable=False)),
    ]
