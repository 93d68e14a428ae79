"""What a run is to read: nullable columns and defaults, no row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0023_remember_googles_limit")]

    operations = [
        migrations.AddField(
            model_name='syncrun',
            name='ad_group_ids',
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
        migrations.AddField(
            model_name='syncrun',
            name='ad_ids',
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
        migrations.AddField(
            model_name='syncrun',
            name='date_from',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='syncrun',
            name='date_to',
            field=models.DateField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='syncrun',
            name='levels',
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
    ]
