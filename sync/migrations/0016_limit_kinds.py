from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sync", "0015_lanes_by_kind_and_class")]

    operations = [
        migrations.CreateModel(
            "KindLimit",
            [
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("region", models.CharField(max_length=20)),
                ("kind", models.CharField(choices=[("campaigns", "Campaigns"), ("ads", "Ads"), ("insights", "Insights")], max_length=10)),
                ("concurrency", models.PositiveSmallIntegerField(help_text="Runs of the kind at once, over all providers.")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("region", "kind"), name="one_limit_per_region_kind")
                ],
            },
        ),
    ]
