"""Plain functions that make rows for tests; everything can be overridden by keyword."""

from datetime import date, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from providers.records import EntityStatus, Level
from sync.engine.insights.partitions import ensure_partitions
from sync.ledger.queues import ensure_queue
from sync.models import (
    Account,
    Ad,
    AdGroup,
    ApiToken,
    Campaign,
    Change,
    Connection,
    Credential,
    Insight,
    InsightDay,
    Membership,
    SyncRequest,
    SyncRun,
)
from sync.models.choices import (
    ChangeAction,
    DeferReason,
    EntityKind,
    Kind,
    Priority,
    Provider,
    Role,
    RunState,
    Trigger,
)

_numbers = count(1001)


def make_account(name: str = "Acme", **columns: Any) -> Account:
    return Account.objects.create(name=name, **columns)


def make_member(account: Account, username: str, role: Role = Role.MEMBER) -> User:
    user = User.objects.filter(username=username).first()
    user = user or User.objects.create_user(username, password="password")
    Membership.objects.create(account=account, user=user, role=role)
    return user


def make_token(account: Account, user: User, **columns: Any) -> str:
    """An API token of the user for the account, as it is sent in the header."""
    _, token = ApiToken.objects.create(user=user, account=account, **columns)
    return str(token)


def make_credential(
    account: Account, provider: str = Provider.META, secret: str = "secret-token"
) -> Credential:
    credential = Credential(account=account, provider=provider, name="test grant")
    credential.secret = secret
    credential.save()
    return credential


def make_connection(account: Account, provider: str = Provider.META, **columns: Any) -> Connection:
    number = next(_numbers)
    columns.setdefault("external_id", f"act_{number}" if provider == Provider.META else str(number))
    columns.setdefault("name", f"Shop {number}")
    columns.setdefault("currency", "EUR")
    columns.setdefault("time_zone", "Europe/Berlin")
    columns.setdefault("next_sync_at", timezone.now() + timedelta(hours=1))
    if "credential" not in columns:
        columns["credential"] = make_credential(account, provider)
    return Connection.objects.create(account=account, provider=provider, **columns)


def noon() -> str:
    """A time zone in which it is noon: no day ends while a test runs, and the night's reading is over."""
    return zone_at(12)


def zone_at(hour: int) -> str:
    """A time zone in which it is this hour."""
    return f"Etc/GMT{(timezone.now().hour - hour + 12) % 24 - 12:+d}"


def make_request(account: Account, **columns: Any) -> SyncRequest:
    columns = {"trigger": Trigger.SCHEDULED, "source": "beat", **columns}
    return SyncRequest.objects.create(account=account, **columns)


def make_run(connection: Connection, *, state: str = RunState.QUEUED, **columns: Any) -> SyncRun:
    """A run in any state, with what the state's constraints ask for."""
    now = timezone.now()
    ensure_queue(connection.provider, connection.region)
    trigger = columns.pop("trigger", Trigger.SCHEDULED)
    defaults: dict[str, Any] = {
        "priority": Priority.MANUAL if trigger == Trigger.MANUAL else Priority.SCHEDULED,
        "queued_at": now,
        "max_attempts": settings.MAX_ATTEMPTS,
        **_state_columns(state),
        **columns,
    }
    if "request" not in defaults:
        defaults["request"] = make_request(connection.account, trigger=trigger)
    return SyncRun.objects.create(
        account=connection.account,
        connection=connection,
        provider=connection.provider,
        region=connection.region,
        state=state,
        trigger=trigger,
        **defaults,
    )


def make_sync(connection: Connection, *, state: str = RunState.QUEUED, **columns: Any) -> list[SyncRun]:
    """The runs of one request for what keeps a connection fresh; where one runs, the other waits."""
    catalog = make_run(connection, state=state, **columns)
    waits = RunState.QUEUED if state == RunState.RUNNING else state
    return [
        catalog,
        make_run(connection, state=waits, kind=Kind.INSIGHTS, request=catalog.request, **columns),
    ]


def _state_columns(state: str) -> dict[str, Any]:
    now = timezone.now()
    if state == RunState.RUNNING:
        return {"started_at": now, "lease_token": uuid4(), "lease_expires_at": now + settings.LEASE}
    if state == RunState.DEFERRED:
        return {"available_at": now + timedelta(minutes=5), "defer_reason": DeferReason.BUDGET}
    if state in (RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED):
        return {"started_at": now - timedelta(seconds=10), "finished_at": now}
    return {}


def make_campaign(connection: Connection, **columns: Any) -> Campaign:
    return Campaign.objects.create(connection=connection, **_entity_columns("Campaign", columns))


def make_ad_group(connection: Connection, **columns: Any) -> AdGroup:
    columns.setdefault("campaign_external_id", "1")
    return AdGroup.objects.create(connection=connection, **_entity_columns("Ad group", columns))


def make_ad(connection: Connection, **columns: Any) -> Ad:
    columns.setdefault("campaign_external_id", "1")
    columns.setdefault("ad_group_external_id", "2")
    return Ad.objects.create(connection=connection, **_entity_columns("Ad", columns))


def _entity_columns(noun: str, columns: dict[str, Any]) -> dict[str, Any]:
    number = next(_numbers)
    defaults = {
        "external_id": str(number),
        "name": f"{noun} {number}",
        "status": EntityStatus.ACTIVE,
        "platform_status": "ACTIVE",
        "raw": {"id": str(number)},
    }
    return {**defaults, **columns}


def make_change(connection: Connection, **columns: Any) -> Change:
    defaults = {
        "run_id": uuid4(),
        "entity": EntityKind.CAMPAIGN,
        "external_id": str(next(_numbers)),
        "action": ChangeAction.UPDATED,
        "field": "name",
        "old": "Old",
        "new": "New",
        "seen_at": timezone.now(),
    }
    return Change.objects.create(connection=connection, **{**defaults, **columns})


def make_insight(connection: Connection, **columns: Any) -> Insight:
    """A day's metrics of one entity, a campaign unless told otherwise."""
    defaults: dict[str, Any] = {
        "level": Level.CAMPAIGN,
        "external_id": str(next(_numbers)),
        "day": timezone.now().date(),
        "campaign_external_id": "",
        "ad_group_external_id": "",
        "currency": connection.currency,
        "attribution": "7d_click_1d_view",
        "impressions": 1000,
        "clicks": 20,
        "spend_micros": 5_000_000,
        "conversions": "2.5",
        "conversion_value_micros": 40_000_000,
        "conversions_by_type": {},
        "reach": None,
        "video_views": None,
        "extra": {},
        "run_id": uuid4(),
        "updated_at": timezone.now(),
    }
    columns = {**defaults, **columns}
    ensure_partitions(columns["day"], columns["day"])
    return Insight.objects.create(connection=connection, **columns)


def make_complete(connection: Connection, *days: date, **columns: Any) -> None:
    """Days that were read to their end, of campaigns unless told otherwise."""
    defaults: dict[str, Any] = {
        "level": Level.CAMPAIGN,
        "read_at": timezone.now(),
        "rows": 1,
        "attribution": "7d_click_1d_view",
        "run_id": uuid4(),
    }
    for day in days:
        InsightDay.objects.create(connection=connection, day=day, **{**defaults, **columns})
