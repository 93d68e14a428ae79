"""PostgreSQL's clock, for the connection of one test: statements run as they are, and read what was set."""

from datetime import datetime

from django.db import connection

NAMES = ("clock_timestamp", "statement_timestamp")


class DatabaseClock:
    """Stands still until it is set again; gone with the test's transaction."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("CREATE SCHEMA fake")
            for name in NAMES:
                cursor.execute(
                    f"CREATE FUNCTION fake.{name}() RETURNS timestamptz LANGUAGE sql STABLE "
                    "AS $$ SELECT current_setting('fake.now')::timestamptz $$"
                )
            # unless it is named, pg_catalog comes first
            cursor.execute("SELECT set_config('search_path', 'fake, public, pg_catalog', true)")

    def set(self, now: datetime) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('fake.now', %s, true)", [now.isoformat()])
