"""One account of each platform made of recorded history: real ids, names, times.

An account begins with the oldest version of each entity; a step brings the next recorded version.
Where the recording has no value, a plausible constant stands in (recorded/README.md).
"""

import csv
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from providers.sandbox import google_stats
from providers.sandbox.catalog import Ad, AdGroup, Campaign, Catalog
from providers.sandbox.constants import RECORDED_GOOGLE_CUSTOMER, RECORDED_META_ACCOUNT, Platform
from providers.sandbox.edits import write
from providers.sandbox.recorded_insights import recorded as recorded_deliveries
from providers.sandbox.recorded_insights import recorded_until
from providers.sandbox.world import Account

FOLDER = Path(__file__).parent / "recorded"
DAY = 86_400
# Parents that the recording mentions (in ad groups and in daily statistics) without holding them.
MENTIONED_CAMPAIGNS = {344106493: "WLcyudjLopZCAwVCG42LtA==", 10059986060: "Campaign 10059986060"}
MENTIONED_AD_GROUP = (100031227574, 10059986060)
# Meta's ads that have recorded insights and no history: they stand as deleted ones, in the first ad set.
MENTIONED_ADS = (6317039926871, 23856469955990536)

Row = dict[str, str]


class Version(NamedTuple):
    """One recorded state of one entity."""

    at: int
    row: Row


def _read(name: str, time_column: str) -> list[Version]:
    """The versions in a file, oldest first."""
    with (FOLDER / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        versions = [Version(_seconds(row[time_column]), row) for row in csv.DictReader(file)]
    return sorted(versions, key=lambda version: version.at)


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def _first(versions: Iterable[Version]) -> dict[int, Version]:
    """The oldest version of each entity, in the order of ids."""
    first: dict[int, Version] = {}
    for version in versions:
        first.setdefault(int(version.row["id"]), version)
    return dict(sorted(first.items()))


def _later(versions: list[Version]) -> list[Version]:
    """The versions that edit what is there already."""
    first = {id(version) for version in _first(versions).values()}
    return [version for version in versions if id(version) not in first]


def recorded_meta(newest: date | None = None) -> Account:
    """The recorded Meta ad account; its days as they were, or moved to end about `newest`."""
    return Account(
        platform=Platform.META,
        id=RECORDED_META_ACCOUNT,
        name="Recorded account",
        currency="USD",
        time_zone="America/Los_Angeles",
        status="1",
        created=_seconds("2020-10-01"),
        fill=_fill_meta,
        ordinal=0,
        source=recorded_until(newest) if newest else recorded_deliveries,
    )


def _fill_meta(account: Account) -> Catalog:
    files = [_read(f"meta_{kind}", "updated_time") for kind in ("campaigns", "ad_sets", "ads")]
    campaigns = {key: _meta_campaign(account, version) for key, version in _first(files[0]).items()}
    groups = {key: _meta_ad_set(campaigns, version) for key, version in _first(files[1]).items()}
    ads = {key: _meta_ad(groups, version) for key, version in _first(files[2]).items()}
    like = next(iter(ads.values()))
    gone = [replace(like, id=key, name=f"Ad {key}", status="DELETED", creative=0) for key in MENTIONED_ADS]
    catalog = Catalog(list(campaigns.values()), list(groups.values()), [*ads.values(), *gone])
    account.history = _history(catalog, [version for file in files for version in _later(file)])
    return catalog


def _meta_campaign(account: Account, version: Version) -> Campaign:
    return Campaign(
        account=account,
        id=int(version.row["id"]),
        name=version.row["name"],
        status="ACTIVE",
        created=version.at,
        updated=version.at,
        objective="OUTCOME_TRAFFIC",
        strategy="",
        review="",
        daily_budget=None,
        lifetime_budget=None,
        starts=version.at,
        ends=None,
    )


def _meta_ad_set(campaigns: dict[int, Campaign], version: Version) -> AdGroup:
    return AdGroup(
        campaign=campaigns[int(version.row["campaign_id"])],
        id=int(version.row["id"]),
        name=version.row["name"],
        status="ACTIVE",
        created=version.at,
        updated=version.at,
        type="LINK_CLICKS",
        bid=None,
        daily_budget=5000,
        lifetime_budget=None,
        starts=version.at,
        ends=None,
    )


def _meta_ad(groups: dict[int, AdGroup], version: Version) -> Ad:
    return Ad(
        group=groups[int(version.row["ad_set_id"])],
        id=int(version.row["id"]),
        name=version.row["name"],
        status="ACTIVE",
        created=version.at,
        updated=version.at,
        type="",
        review="",
        creative=int(version.row["creative_id"]),
        urls=(),
    )


def recorded_google(manager_id: str, newest: date | None = None) -> Account:
    """The recorded Google Ads customer, put below a manager; its days as `recorded_meta` has them."""
    return Account(
        platform=Platform.GOOGLE,
        id=RECORDED_GOOGLE_CUSTOMER,
        name="Recorded customer",
        currency="USD",
        time_zone="America/Los_Angeles",
        status="ENABLED",
        created=_seconds("2020-04-22"),
        fill=_fill_google,
        ordinal=0,
        manager_id=manager_id,
        stats=google_stats.recorded_until(newest) if newest else google_stats.recorded,
    )


def _fill_google(account: Account) -> Catalog:
    files = [_read(f"google_{kind}", "updated_at") for kind in ("campaigns", "ad_groups", "ads")]
    campaigns = {key: _google_campaign(account, version.row) for key, version in _first(files[0]).items()}
    for key, name in MENTIONED_CAMPAIGNS.items():
        row = {"id": str(key), "name": name, "status": "PAUSED", "advertising_channel_type": "SEARCH"}
        campaigns[key] = _google_campaign(
            account, row | {"start_date": "2020-04-22", "end_date": "2037-12-30"}
        )
    groups = {key: _google_ad_group(campaigns, version.row) for key, version in _first(files[1]).items()}
    key, campaign_id = MENTIONED_AD_GROUP
    row = {"id": str(key), "name": f"Ad group {key}", "status": "ENABLED", "type": "SEARCH_STANDARD"}
    groups[key] = _google_ad_group(campaigns, row | {"campaign_id": str(campaign_id)})
    ads = {key: _google_ad(groups, version.row) for key, version in _first(files[2]).items()}
    catalog = Catalog(list(campaigns.values()), list(groups.values()), list(ads.values()))
    catalog.sort()
    account.history = _history(catalog, [version for file in files for version in _later(file)])
    return catalog


def _google_campaign(account: Account, row: Row) -> Campaign:
    return Campaign(
        account=account,
        id=int(row["id"]),
        name=row["name"],
        status=row["status"],
        created=account.created,
        updated=account.created,
        objective=row["advertising_channel_type"],
        strategy="MANUAL_CPC",
        review="",
        daily_budget=50_000_000,
        lifetime_budget=None,
        starts=_seconds(row["start_date"]) + DAY // 2,  # noon UTC is the same day in every American zone
        ends=_seconds(row["end_date"]) + DAY // 2,
    )


def _google_ad_group(campaigns: dict[int, Campaign], row: Row) -> AdGroup:
    return AdGroup(
        campaign=campaigns[int(row["campaign_id"])],
        id=int(row["id"]),
        name=row["name"],
        status=row["status"],
        created=0,
        updated=0,
        type=row["type"],
        bid=1_000_000,
        daily_budget=None,
        lifetime_budget=None,
        starts=0,
        ends=None,
    )


def _google_ad(groups: dict[int, AdGroup], row: Row) -> Ad:
    return Ad(
        group=groups[int(row["ad_group_id"])],
        id=int(row["id"]),
        name=row["name"],
        status=row["status"],
        created=0,
        updated=0,
        type=row["type"] or "EXPANDED_TEXT_AD",
        review="APPROVED",
        creative=0,
        urls=_urls(row["final_urls"]),
    )


def _urls(text: str) -> tuple[str, ...]:
    return tuple(url for url in text.strip("[]").split(",") if url)


def _history(catalog: Catalog, versions: list[Version]) -> list[Callable[[float], None]]:
    """The edits that are still to come, in the order in which they happened."""
    return [partial(_apply, catalog, version) for version in sorted(versions, key=lambda version: version.at)]


def _apply(catalog: Catalog, version: Version, now: float) -> None:
    """Bring one entity to a later recorded state, in what its row tells; in the journal that happens now."""
    entity, row = catalog.find(int(version.row["id"])), version.row
    if entity is None:
        return  # removed by hand meanwhile: the recording goes on without it
    entity.updated = max(entity.updated, version.at)
    told: dict[str, Any] = {"name": row.get("name"), "status": row.get("status")}
    if not isinstance(entity, Campaign):
        told["type"] = row.get("type")
    if isinstance(entity, Ad) and row.get("final_urls"):
        told["urls"] = _urls(row["final_urls"])
    write(entity, {name: value for name, value in told.items() if value}, now)
