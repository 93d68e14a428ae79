"""Until when a connection was read, and how its conversions are counted. No row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0025_name_who_changed_what")]

    operations = [
        migrations.AddField(
            model_name='connection',
            name='attribution',
            field=models.CharField(blank=True, db_default='', default='', help_text="By which rule conversions are counted; empty: the platform's own.", max_length=40),
        ),
        migrations.AddField(
            model_name='connection',
            name='read_until',
            field=models.DateTimeField(blank=True, editable=False, help_text='What changed at the platform before it is copied; an incremental sync asks for the rest.', null=True),
        ),
    ]
