"""Drop the column that 0041 replaced, and its index. Apart from it, so that a rolling deployment may stop
between."""

from django.db import migrations


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sync", "0041_wait_for_several_reports")]

    operations = [
        migrations.RunSQL(
            "DROP INDEX CONCURRENTLY IF EXISTS run_report",
            "CREATE INDEX CONCURRENTLY run_report ON sync_syncrun (report_id) WHERE NOT report_id = ''",
        ),
        migrations.RunSQL(
            "ALTER TABLE sync_syncrun DROP COLUMN report_id",
            "ALTER TABLE sync_syncrun ADD COLUMN report_id varchar(40) DEFAULT '' NOT NULL",
        ),
    ]
