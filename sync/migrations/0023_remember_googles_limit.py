"""The day's limit as last measured, to see that it grew. A table of one row, and a nullable column."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [("sync", "0022_remember_calls_of_no_run")]

    operations = [
        migrations.AddField(
            model_name='googleproject',
            name='limit',
            field=models.PositiveIntegerField(editable=False, help_text='Operations in 24 hours, as last measured; empty: no limit.', null=True),
        ),
    ]
