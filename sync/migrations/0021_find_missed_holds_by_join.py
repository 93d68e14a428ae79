from django.db import migrations

FIND_BY_JOIN = """
CREATE OR REPLACE FUNCTION sync_mend_holds() RETURNS integer LANGUAGE sql AS $$
    SELECT sync_hold_runs(ARRAY(
        SELECT DISTINCT run.connection_id
        FROM sync_syncrun run
        JOIN sync_connection connection ON connection.id = run.connection_id
        JOIN sync_credential credential ON credential.id = connection.credential_id
        WHERE run.state = 'queued' AND run.is_held AND connection.status = 'active'
          AND connection.paused_at IS NULL AND credential.status = 'active'))
$$
"""


class Migration(migrations.Migration):
    """One join instead of a function per held run: a tick's work, not seconds, where 90,000 are paused."""

    dependencies = [("sync", "0020_remember_the_access_tier")]

    operations = [migrations.RunSQL(FIND_BY_JOIN, migrations.RunSQL.noop)]
