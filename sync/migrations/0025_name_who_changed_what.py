"""Who made a change, where the platform tells. A default only, no row is rewritten."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0024_widen_the_scope_of_runs")]

    operations = [
        migrations.AddField(
            model_name='change',
            name='by',
            field=models.CharField(blank=True, db_default='', default='', help_text="Who did it, where the platform tells; no person's name or address in clear.", max_length=120),
        ),
    ]
