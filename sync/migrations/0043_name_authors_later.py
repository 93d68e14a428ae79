"""Since when a connection's changes wait to be told who made them. No row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0042_drop_the_one_report")]

    operations = [
        migrations.AddField(
            model_name='connection',
            name='authors_since',
            field=models.DateTimeField(blank=True, editable=False, help_text='Of the changes seen since then, the platform is still to be asked who made them.', null=True),
        ),
    ]
