from pathlib import Path

from django.db import migrations

SQL = Path(__file__).parent / "sql"


class Migration(migrations.Migration):
    """The triggers that keep the lanes, and the claim; what waits already is counted at the end."""

    dependencies = [("sync", "0017_index_what_may_start")]

    operations = [
        migrations.RunSQL(
            (SQL / "0018_keep_lanes.sql").read_text(), (SQL / "0018_keep_lanes_reverse.sql").read_text()
        ),
        migrations.RunSQL(
            "UPDATE sync_syncrun SET rank = sync_class(priority) WHERE state = 'running';"
            " UPDATE sync_syncrun SET state = 'queued', queued_at = queued_at + interval '1 microsecond'"
            " WHERE state = 'queued';"
            " SELECT sync_rebuild_lanes()",
            migrations.RunSQL.noop,
        ),
    ]
