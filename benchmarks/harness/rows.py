"""Fill the ledger by the hundred thousand: one row is made through its model and multiplied in SQL.

So a column that the product adds is filled as the product would, and the database's own triggers and
constraints see every row.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection, models
from django.utils import timezone

from benchmarks.harness.product import execute
from providers.sandbox.meta_usage import TIER
from sync.ledger.queues import ensure_queue
from sync.models import Account, Connection, Credential, SyncRequest, SyncRun
from sync.models.choices import Priority, Provider, RunState, Trigger

META, REGION = Provider.META, settings.REGION


def multiply(
    template: models.Model, source: str, values: Mapping[str, Any], *, order: str = "1", **columns: str
) -> None:
    """One copy of the template per row of `source` (a FROM item); `columns` are SQL, the rest is copied."""
    meta = template._meta
    fields = [field for field in meta.concrete_fields if not isinstance(field, models.AutoField)]
    names = [str(field.column) for field in fields if field.column]  # a composite key has none
    chosen = {"id": "uuidv7()"} | columns
    picked = ", ".join(chosen.get(name, f"template.{name}") for name in names)
    key = [str(field.column) for field in meta.pk_fields]
    its = {f"its_{name}": getattr(template, name) for name in key}
    is_template = " AND ".join(f"template.{name} = %(its_{name})s" for name in key)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {meta.db_table} ({', '.join(names)}) SELECT {picked} "
            f"FROM {meta.db_table} template, {source} WHERE {is_template} ORDER BY {order}",
            {**its, **values},
        )


def empty(*, slots: int, provider: Provider = META) -> None:
    """Remove everything; afterwards there is the provider's queue with so many slots."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE sync_account, sync_queue CASCADE")
    ensure_queue(provider, REGION)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE sync_queue SET concurrency = %s", (slots,))


def connections(external_ids: Sequence[str], *, tenants: int, secret: str, provider: Provider = META) -> None:
    """A connection per ad account, spread evenly over the tenants, each with one grant."""
    account = Account.objects.create(name="template")
    credential = Credential(account=account, provider=provider)
    credential.secret = secret
    credential.save()
    template = Connection.objects.create(
        account=account,
        credential=credential,
        provider=provider,
        external_id="act_0",
        currency="EUR",
        time_zone="Europe/Berlin",
        access_tier=TIER,  # every sync but an ad account's first knows it
        next_sync_at=timezone.now() + timedelta(hours=1),
    )
    multiply(account, "generate_series(1, %(tenants)s) n", {"tenants": tenants}, name="'tenant ' || n")
    multiply(credential, "sync_account a", {}, account_id="a.id")
    multiply(
        template,
        "unnest(%(ids)s::text[]) WITH ORDINALITY asked (external_id, nth) JOIN "
        "(SELECT account_id, id, row_number() OVER (ORDER BY account_id) AS nth FROM sync_credential "
        "WHERE account_id <> %(account)s) grant_ ON grant_.nth = 1 + asked.nth %% %(tenants)s",
        {"ids": list(external_ids), "tenants": tenants, "account": account.pk},
        external_id="asked.external_id",
        account_id="grant_.account_id",
        credential_id="grant_.id",
    )
    template.delete()
    credential.delete()
    account.delete()


def queue_runs(external_ids: Sequence[str] | None = None) -> None:
    """A scheduled run for each connection, or for those named, due now. No worker may be at work yet."""
    template = _template(RunState.QUEUED)
    execute("ALTER TABLE sync_syncrun DISABLE TRIGGER sync_keep_lanes_insert")  # once for all is quicker
    multiply(
        template,
        "(SELECT * FROM sync_connection WHERE %(all)s OR external_id = ANY(%(ids)s::text[])) c",
        {"all": external_ids is None, "ids": list(external_ids or ())},
        connection_id="c.id",
        account_id="c.account_id",
        queued_at="clock_timestamp()",
        created_at="clock_timestamp()",
    )
    execute("ALTER TABLE sync_syncrun ENABLE TRIGGER sync_keep_lanes_insert")
    template.delete()
    execute("SELECT sync_rebuild_lanes()")
    _settle("sync_syncrun", "sync_connection", "sync_account", "sync_credential", "sync_lane")


def history(*, runs: int) -> None:
    """Ended runs, spread over the connections and the last 90 days."""
    template = _template(RunState.SUCCEEDED)
    ended = "now() - make_interval(secs => 90 * 86400 * ((n %% 9973)::float / 9973))"
    multiply(
        template,
        "(SELECT array_agg(id) AS ids, array_agg(account_id) AS accounts, count(*) AS many "
        "FROM sync_connection) c, generate_series(1, %(runs)s) n",
        {"runs": runs},
        connection_id="c.ids[1 + n %% c.many]",
        account_id="c.accounts[1 + n %% c.many]",
        created_at=ended,
        queued_at=ended,
        started_at=ended,
        finished_at=ended,
    )
    template.delete()
    _settle("sync_syncrun")


def pause(*, percent: int) -> None:
    """Pause so many of the connections."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sync_connection SET paused_at = now() WHERE ('x' || right(id::text, 6))::bit(24)::int "
            "%% 100 < %s",
            (percent,),
        )
    _settle("sync_connection", "sync_syncrun", "sync_lane")


def _template(state: RunState) -> SyncRun:
    """A run of some connection, to be multiplied and deleted; not queued, so no worker may take it."""
    some, now = Connection.objects.order_by("pk").first(), timezone.now()
    assert some is not None, "connections come first"
    request = SyncRequest.objects.create(account=some.account, trigger=Trigger.SCHEDULED, source="beat")
    ended = {"finished_at": now, "started_at": now} if state == RunState.SUCCEEDED else {}
    return SyncRun.objects.create(
        account=some.account,
        connection=some,
        request=request,
        provider=META,
        region=REGION,
        trigger=Trigger.SCHEDULED,
        priority=Priority.SCHEDULED,
        state=state,
        queued_at=now,
        max_attempts=settings.MAX_ATTEMPTS,
        **ended,
    )


def _settle(*tables: str) -> None:
    """Give the planner what autovacuum would give it in a while, so that no round is the one it works in."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"VACUUM ANALYZE {table}")
