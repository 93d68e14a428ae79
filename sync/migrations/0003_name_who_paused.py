"""A pause names who paused as text: also a command line's user, or somebody who left, is told.

The key of the user stays as a column, empty, until 0004: processes of the code before this read it.
"""

from django.db import migrations, models

PAUSABLE = ("account", "connection", "queue")


def _state_only() -> list[migrations.RemoveField]:
    return [migrations.RemoveField(model_name=name, name="paused_by") for name in PAUSABLE]


def _name() -> models.CharField:
    return models.CharField(blank=True, db_default="", default="", editable=False, max_length=150)


def _copy(table: str) -> str:
    return f"""
        UPDATE {table} paused SET paused_by = pauser.username, paused_by_id = NULL
        FROM auth_user pauser WHERE pauser.id = paused.paused_by_id
    """


class Migration(migrations.Migration):
    dependencies = [("sync", "0002_record_who_is_at_work")]

    operations = [
        migrations.SeparateDatabaseAndState(state_operations=_state_only()),
        *(migrations.AddField(model_name=name, name="paused_by", field=_name()) for name in PAUSABLE),
        *(migrations.RunSQL(_copy(f"sync_{name}"), migrations.RunSQL.noop) for name in PAUSABLE),
    ]
