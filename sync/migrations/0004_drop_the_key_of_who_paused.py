"""Drop the columns that 0003 replaced. Apart from it, so that a rolling deployment may stop between."""

from django.db import migrations

PAUSABLE = ("account", "connection", "queue")


def _drop(table: str) -> migrations.RunSQL:
    return migrations.RunSQL(
        f"ALTER TABLE {table} DROP COLUMN paused_by_id",
        f"ALTER TABLE {table} ADD COLUMN paused_by_id integer REFERENCES auth_user (id)",
    )


class Migration(migrations.Migration):
    dependencies = [("sync", "0003_name_who_paused")]

    operations = [_drop(f"sync_{name}") for name in PAUSABLE]
