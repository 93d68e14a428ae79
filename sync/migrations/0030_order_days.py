"""Days come in pairs, the earlier first. Checked for new rows at once, for old ones beside the workers."""

from django.contrib.postgres.operations import AddConstraintNotValid, ValidateConstraint
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # the second step reads the table, and must not hold the first one's lock
    dependencies = [("sync", "0029_index_reports")]

    operations = [
        AddConstraintNotValid("syncrun", models.CheckConstraint(condition=models.Q(models.Q(("date_from", None), ("date_to", None)), models.Q(("date_from__isnull", False), ("date_to__gte", models.F("date_from"))), _connector="OR"), name="run_days_from_to")),
        ValidateConstraint("syncrun", "run_days_from_to"),
    ]
