from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    """A function only; what waits keeps its tags until its account's next start makes them one."""

    dependencies = [("sync", "0036_order_changes")]

    operations = [
        migrations.RunSQL(
            (SQL / "0037_one_turn_for_all_kinds.sql").read_text(),
            (SQL / "0037_one_turn_for_all_kinds_reverse.sql").read_text(),
        ),
    ]
