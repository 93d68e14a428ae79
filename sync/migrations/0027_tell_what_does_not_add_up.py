"""What a run was not allowed to read, and what does not add up. Defaults only, no row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0026_remember_what_was_read")]

    operations = [
        migrations.AddField(
            model_name='syncrun',
            name='access_issues',
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
        migrations.AddField(
            model_name='syncrun',
            name='data_discrepancies',
            field=models.JSONField(blank=True, db_default=[], default=list),
        ),
    ]
