"""What the schedule plans Google's syncs with. A table of one row, and defaults: nothing to wait for."""

import datetime

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('sync', '0008_let_people_set_call_limits'),
    ]

    operations = [
        migrations.AddField(
            model_name='googleproject',
            name='connections_count',
            field=models.PositiveIntegerField(default=0, editable=False, help_text='Those to sync.'),
        ),
        migrations.AddField(
            model_name='googleproject',
            name='operations_per_sync',
            field=models.FloatField(default=0, editable=False, help_text='As recent syncs used them.'),
        ),
        migrations.AddField(
            model_name='googleproject',
            name='interval',
            field=models.DurationField(default=datetime.timedelta(seconds=3600), editable=False, help_text='Between two scheduled syncs.'),
        ),
        migrations.AddField(
            model_name='googleproject',
            name='warned_at',
            field=models.DateTimeField(editable=False, help_text='When so many were used that people were warned.', null=True),
        ),
    ]
