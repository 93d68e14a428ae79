"""The table is partitioned, which Django can't say; its partitions are made when they are needed."""

from pathlib import Path

import django.db.models.deletion
from django.db import migrations, models

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    dependencies = [("sync", "0030_order_days")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL((SQL / "0031_keep_insights.sql").read_text(), "DROP TABLE sync_insight")
            ],
            state_operations=[
                migrations.CreateModel(
                    name='Insight',
                    fields=[
                        ('pk', models.CompositePrimaryKey('connection_id', 'level', 'day', 'external_id', blank=True, editable=False, primary_key=True, serialize=False)),
                        ('level', models.CharField(choices=[('account', 'Account'), ('campaign', 'Campaign'), ('ad_group', 'Ad group'), ('ad', 'Ad')], max_length=10)),
                        ('external_id', models.CharField(help_text="Of the entity; at account level the ad account's.", max_length=80)),
                        ('day', models.DateField()),
                        ('campaign_external_id', models.CharField(blank=True, max_length=80)),
                        ('ad_group_external_id', models.CharField(blank=True, max_length=80)),
                        ('currency', models.CharField(help_text='Of all money in the row.', max_length=3)),
                        ('attribution', models.CharField(help_text='By which rule conversions were counted.', max_length=40)),
                        ('impressions', models.BigIntegerField()),
                        ('clicks', models.BigIntegerField()),
                        ('spend_micros', models.BigIntegerField()),
                        ('conversions', models.DecimalField(decimal_places=6, max_digits=24)),
                        ('conversion_value_micros', models.BigIntegerField()),
                        ('conversions_by_type', models.JSONField()),
                        ('reach', models.BigIntegerField(help_text="Null where it is not measured; can't be added up.", null=True)),
                        ('video_views', models.BigIntegerField(null=True)),
                        ('extra', models.JSONField(help_text="The platform's other metrics, under its own names.")),
                        ('run_id', models.UUIDField(help_text='Which made the row what it is.')),
                        ('updated_at', models.DateTimeField(help_text='When a metric differed last.')),
                        ('connection', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='insights', to='sync.connection')),
                    ],
                ),
            ],
        ),
    ]
