import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0031_keep_insights")]

    operations = [
        migrations.CreateModel(
            name='InsightDay',
            fields=[
                ('pk', models.CompositePrimaryKey('connection_id', 'level', 'day', blank=True, editable=False, primary_key=True, serialize=False)),
                ('level', models.CharField(choices=[('account', 'Account'), ('campaign', 'Campaign'), ('ad_group', 'Ad group'), ('ad', 'Ad')], max_length=10)),
                ('day', models.DateField()),
                ('read_at', models.DateTimeField(help_text='When the reading began: what the platform knew then is here.')),
                ('rows', models.PositiveIntegerField()),
                ('attribution', models.CharField(max_length=40)),
                ('run_id', models.UUIDField()),
                ('is_final', models.BooleanField(default=False, help_text='Read when nothing moves any more.')),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='insight_days', to='sync.connection')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('is_final', False)), fields=['connection'], name='insight_day_not_final')],
            },
        ),
    ]
