"""How syncs ended, day by day, for longer than the runs are kept. The next clean-up counts what is there."""

import django.db.models.deletion
from django.db import migrations, models

KINDS = [("campaigns", "Campaigns"), ("ads", "Ads"), ("insights", "Insights")]


class Migration(migrations.Migration):
    dependencies = [("sync", "0043_name_authors_later")]

    operations = [
        migrations.CreateModel(
            name="CountedDay",
            fields=[("day", models.DateField(primary_key=True, serialize=False))],
        ),
        migrations.CreateModel(
            name="DailyStatistic",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "connection_id",
                        "day",
                        "kind",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "connection",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="statistics",
                        to="sync.connection",
                    ),
                ),
                ("day", models.DateField()),
                ("kind", models.CharField(choices=KINDS, max_length=10)),
                ("succeeded", models.PositiveIntegerField()),
                ("failed", models.PositiveIntegerField()),
                ("cancelled", models.PositiveIntegerField()),
                ("calls", models.PositiveBigIntegerField(help_text="Of all of them, at the platform.")),
                (
                    "seconds",
                    models.FloatField(help_text="From start to end, of those that succeeded."),
                ),
                (
                    "error_categories",
                    models.JSONField(default=dict, help_text="How many failed of which category."),
                ),
            ],
            options={"indexes": [models.Index(fields=["day"], name="dailystatistic_day")]},
        ),
    ]
