"""What both platforms' clients yield: the same immutable records, whatever the wire looked like.

Money is in micros of the account's currency as `int`, times are aware UTC datetimes, ids are
strings (they pass 2^53), `status` is normalised and `platform_status` is the platform's own word.
`raw` is the platform's object as it came. The field order is the column order of the merge.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple


class Stream(StrEnum):
    """One kind of record of a connection, in the order in which a sync reads them."""

    CAMPAIGNS = "campaigns"
    AD_GROUPS = "ad_groups"
    ADS = "ads"


class EntityStatus(StrEnum):
    """Normalised status of a campaign, ad group or ad."""

    ACTIVE = "active"
    PAUSED = "paused"
    ARCHIVED = "archived"
    REMOVED = "removed"
    UNKNOWN = "unknown"  # a word that this version does not know yet


class AdAccountRecord(NamedTuple):
    """An ad account (Google: a customer) as the platform describes it."""

    external_id: str  # Meta: `act_<digits>`; Google: digits
    name: str
    currency: str
    time_zone: str
    is_active: bool
    platform_status: str
    is_manager: bool  # Google managers hold customers, not campaigns
    login_customer_id: str  # Google: the manager through which access is given, else ""
    raw: dict[str, Any]


class CampaignRecord(NamedTuple):
    """One campaign."""

    external_id: str
    name: str
    status: EntityStatus
    platform_status: str
    objective: str  # Meta: objective; Google: advertising channel type
    bidding_strategy: str
    daily_budget_micros: int | None
    lifetime_budget_micros: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    platform_created_at: datetime | None
    platform_updated_at: datetime | None
    raw: dict[str, Any]


class AdGroupRecord(NamedTuple):
    """One ad group (Meta: ad set)."""

    external_id: str
    campaign_external_id: str
    name: str
    status: EntityStatus
    platform_status: str
    bidding_strategy: str
    bid_micros: int | None
    daily_budget_micros: int | None
    lifetime_budget_micros: int | None
    starts_at: datetime | None
    ends_at: datetime | None
    platform_created_at: datetime | None
    platform_updated_at: datetime | None
    raw: dict[str, Any]


class AdRecord(NamedTuple):
    """One ad. Google names an ad by `adGroup~ad`, for the same ad may serve in several groups."""

    external_id: str
    campaign_external_id: str
    ad_group_external_id: str
    name: str
    status: EntityStatus
    platform_status: str
    ad_type: str
    creative_external_id: str
    platform_created_at: datetime | None
    platform_updated_at: datetime | None
    raw: dict[str, Any]


Record = CampaignRecord | AdGroupRecord | AdRecord


class Page(NamedTuple):
    """One chunk of a stream.

    `cursor` continues after this page and may be stored; None means that the stream is finished.
    `expected_total` is the stream's number of records where the platform tells it, else None.
    """

    records: list[Record]
    cursor: str | None
    expected_total: int | None


class Level(StrEnum):
    """Whose metrics an insight holds: the whole ad account's, or one entity's."""

    ACCOUNT = "account"
    CAMPAIGN = "campaign"
    AD_GROUP = "ad_group"
    AD = "ad"


class Ids(NamedTuple):
    """A range of ids, compared as text. Ranges that follow each other hold every id, also one that nobody
    knew when they were made."""

    first: str = ""
    end: str = ""  # the first that is no longer in it; empty: there is none

    def has(self, external_id: str) -> bool:
        """Whether it is in it."""
        return self.first <= external_id and (not self.end or external_id < self.end)

    def cut(self, starts: Sequence[str]) -> "list[Ids]":
        """Ranges that begin at these ids, in their order, the first one where this one begins."""
        bounds = [self.first, *starts[1:], self.end]
        return [Ids(first, end) for first, end in pairwise(bounds)]


EVERY_ID = Ids()


class InsightSlice(NamedTuple):
    """One level's metrics for a range of days, both ends included, in the ad account's time zone.

    `by_type` asks for conversions by type where they cost a call of their own: at Google, for campaigns.
    Meta tells them with every slice. What of a single day is too much is read in parts, as the client's
    `narrower` made them: what is below some of its campaigns and ad groups, or its fields in two questions.
    """

    level: Level
    since: date
    until: date
    by_type: bool = False
    campaigns: Ids = EVERY_ID
    ad_groups: Ids = EVERY_ID
    in_halves: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether it is all that its days have."""
        return self.campaigns == self.ad_groups == EVERY_ID and not self.in_halves


class InsightRecord(NamedTuple):
    """One entity's metrics for one day of the ad account's time zone.

    Platforms send no row for a day without delivery. What a platform does not measure is None, never 0.
    """

    external_id: str  # of the entity; at account level the ad account's
    day: date
    campaign_external_id: str  # empty above that level
    ad_group_external_id: str
    currency: str  # of all money in the record: the ad account's
    attribution: str  # by which rule conversions were counted, see `providers.registry.ATTRIBUTIONS`
    impressions: int
    clicks: int
    spend_micros: int
    conversions: Decimal
    conversion_value_micros: int
    # {type: {"count": "2.5", "value_micros": 1200000}}; None: not asked for, so what is known stays
    conversions_by_type: dict[str, Any] | None
    reach: int | None
    video_views: int | None
    extra: dict[str, Any]  # the platform's other metrics, under its own names


class InsightPage(NamedTuple):
    """One chunk of a slice; `cursor` as in `Page`."""

    records: list[InsightRecord]
    cursor: str | None


class Edit(NamedTuple):
    """One change that somebody made at the platform, as the platform's own log tells it.

    `by` is a pseudonym of the person, the same for the same person of an ad account; empty where the
    platform names none. `through` is the platform's word for the tool.
    """

    stream: Stream
    external_id: str
    at: datetime
    by: str
    through: str
    operation: str  # created, changed, removed
    fields: tuple[str, ...]  # that changed, under the platform's own names
