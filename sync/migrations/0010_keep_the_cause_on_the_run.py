"""What the platform said of the last failure, and whether a person is done with it, on the run itself.

Constant defaults: no row is rewritten, and the code before this inserts rows as it did.
"""

from django.db import migrations, models


def _text() -> models.CharField:
    return models.CharField(blank=True, db_default="", default="", max_length=80)


class Migration(migrations.Migration):
    dependencies = [("sync", "0009_measure_googles_pace")]

    operations = [
        migrations.AddField("syncrun", "platform_code", _text()),
        migrations.AddField("syncrun", "trace_id", _text()),
        migrations.AddField(
            "syncrun",
            "resolved_at",
            models.DateTimeField(
                blank=True, help_text="When a person marked the dead letter as done.", null=True
            ),
        ),
    ]
