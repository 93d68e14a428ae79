import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import sync.models.queue


class Migration(migrations.Migration):
    """Lanes are derived: the old ones are dropped, and 0018 counts the new ones."""

    dependencies = [("sync", "0014_give_runs_a_class")]

    operations = [
        migrations.DeleteModel("Lane"),
        migrations.CreateModel(
            "Lane",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("campaigns", "Campaigns"), ("ads", "Ads"), ("insights", "Insights")], max_length=10)),
                ("rank", models.PositiveSmallIntegerField(help_text="The class: 0 is the best.")),
                ("tag", models.BigIntegerField(default=0)),
                ("waiting", models.IntegerField(default=0, help_text="Runs that may start.")),
                ("head_at", models.DateTimeField(help_text="Since when the first of them is due. Empty: none may start.", null=True)),
                ("account", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="lanes", to="sync.account")),
                ("queue", models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="lanes", to="sync.queue")),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("head_at__isnull", False)),
                        fields=["queue", "kind", "rank", "tag", "head_at", "account"],
                        name="lane_next",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("queue", "account", "kind", "rank"), name="one_lane_per_queue_account_kind_class"
                    )
                ],
            },
        ),
        migrations.RemoveField("queue", "virtual_time"),
        migrations.AddField(
            "queue",
            "virtual_times",
            django.contrib.postgres.fields.ArrayField(
                base_field=models.BigIntegerField(), default=sync.models.queue._at_zero, editable=False, size=3
            ),
        ),
        migrations.AddField("queue", "patience", models.PositiveIntegerField(default=600, help_text="Seconds after which a waiting run rises one class.")),
        migrations.AddField("queue", "manual_patience", models.PositiveIntegerField(default=30, help_text="The same for a run that a person asked for by itself.")),
    ]
