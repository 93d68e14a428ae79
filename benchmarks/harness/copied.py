"""Fill the copied data by the million: ads, changes, ended runs and a month's metrics, of 20 ad accounts.

The rows are spread evenly, so each of the five tenants has a fifth of them.
"""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from django.utils import timezone

from benchmarks.harness import rows
from benchmarks.harness.product import execute
from providers.records import EntityStatus, Level
from sync.engine.insights.partitions import ensure_partitions
from sync.models import Account, Ad, Change, Connection, Insight
from sync.models.choices import ChangeAction, EntityKind

AD_ACCOUNTS, TENANTS = 20, 5
DAYS = 30  # of metrics, up to today
NEVER_USED = "never-used"
_SPREAD = """
    generate_series(1, %(rows)s) AS n
    JOIN (
        SELECT id AS owner, row_number() OVER (ORDER BY account_id, id) - 1 AS nth FROM sync_connection
    ) AS c ON c.nth = n %% 20
"""


def fill(count: int) -> Account:
    """So many rows in each table; returns one of the tenants."""
    rows.empty(slots=1)
    execute("TRUNCATE sync_insight")
    ids = [f"act_{number}" for number in range(1, AD_ACCOUNTS + 1)]
    rows.connections(ids, tenants=TENANTS, secret=NEVER_USED)
    some = Connection.objects.order_by("account_id", "pk")[0]
    _ads(some, count)
    _changes(some, count)
    _insights(some, count)
    rows.history(runs=count)
    execute("VACUUM ANALYZE sync_ad, sync_change, sync_insight, sync_syncrun, sync_connection")
    return some.account


def _ids(nth: str) -> dict[str, str]:
    """Of an ad and its parents: 20 ads an ad group, 10 ad groups a campaign, within one ad account."""
    return {
        "external_id": f"(120000000000000000 + {nth})::text",
        "ad_group_external_id": f"(110000000000000000 + {nth} / 400 * 20 + {nth} %% 20)::text",
        "campaign_external_id": f"(100000000000000000 + {nth} / 4000 * 20 + {nth} %% 20)::text",
    }


def _ads(owner: Connection, count: int) -> None:
    template = Ad.objects.create(
        connection=owner,
        external_id="template",
        name="",
        status=EntityStatus.ACTIVE,
        platform_status="ACTIVE",
        raw={"id": "120000000000000001", "name": "Ad", "effective_status": "ACTIVE", "creative": {"id": "1"}},
        creative_external_id="1",
    )
    columns = {
        "connection_id": "owner",
        "name": "'Ad ' || n",
        "status": "CASE WHEN n / 20 %% 10 = 0 THEN 'paused' ELSE 'active' END",
        "removed_at": "CASE WHEN n / 20 %% 20 = 0 THEN now() END",
    }
    rows.multiply(template, _SPREAD, {"rows": count}, **columns, **_ids("n"))
    template.delete()


def _changes(owner: Connection, count: int) -> None:
    template = Change.objects.create(
        connection=owner,
        run_id=uuid4(),
        entity=EntityKind.AD,
        external_id="template",
        action=ChangeAction.UPDATED,
        field="name",
        old="Old",
        new="New",
    )
    columns = {
        "connection_id": "owner",
        "external_id": "(120000000000000000 + n / 10)::text",
        "seen_at": "now() - n * interval '1 day' * 300 / %(rows)s",
    }
    rows.multiply(template, _SPREAD, {"rows": count}, **columns)
    template.delete()


def _insights(owner: Connection, count: int) -> None:
    until: date = timezone.now().date()
    since = until - timedelta(days=DAYS - 1)
    ensure_partitions(since, until)
    template = Insight.objects.create(
        connection=owner,
        level=Level.AD,
        external_id="template",
        day=until,
        currency="EUR",
        attribution="7d_click_1d_view",
        impressions=1_000,
        clicks=20,
        spend_micros=5_000_000,
        conversions=Decimal("2.5"),
        conversion_value_micros=40_000_000,
        conversions_by_type={"purchase": {"count": "2.5", "value_micros": 40_000_000}},
        extra={"frequency": "1.25"},
        run_id=UUID(int=0),
        updated_at=timezone.now(),
    )
    place = {"connection_id": "owner", "day": "%(until)s::date - (n / 20 %% 30)::int"}
    ads = _ids("(n / 600 * 20 + n %% 20)")
    rows.multiply(template, _SPREAD, {"rows": count, "until": until}, **place, **ads)
    template.delete()
