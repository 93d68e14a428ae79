from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    """Functions and triggers only; the claim keeps its old form for workers of the version before."""

    dependencies = [("sync", "0033_count_drift")]

    operations = [
        migrations.RunSQL(
            (SQL / "0034_claim_in_few_steps.sql").read_text(),
            (SQL / "0034_claim_in_few_steps_reverse.sql").read_text(),
        ),
    ]
