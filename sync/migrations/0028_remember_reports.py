"""Which report of the platform a run waits for. A default only, no row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0027_tell_what_does_not_add_up")]

    operations = [
        migrations.AddField(
            model_name='syncrun',
            name='report_id',
            field=models.CharField(blank=True, db_default='', default='', editable=False, help_text="The platform's report that it waits for.", max_length=40),
        ),
    ]
