"""Which stream fills which table, and where a run counts it."""

from typing import NamedTuple

from providers.records import AdGroupRecord, AdRecord, CampaignRecord, Stream
from sync.models import Ad, AdGroup, Campaign, Entity
from sync.models.choices import EntityKind


class Target(NamedTuple):
    """A stream's table. The record's fields are the table's columns, under the same names."""

    model: type[Entity]
    entity: EntityKind
    columns: tuple[str, ...]
    counter: str  # the run's column that counts its records

    @property
    def words(self) -> str:
        """What people call its rows."""
        return f"{self.entity.label.lower()}s"

    @property
    def table(self) -> str:
        """The table's name in the database."""
        return str(self.model._meta.db_table)


TARGETS = {
    Stream.CAMPAIGNS: Target(Campaign, EntityKind.CAMPAIGN, CampaignRecord._fields, "campaigns_count"),
    Stream.AD_GROUPS: Target(AdGroup, EntityKind.AD_GROUP, AdGroupRecord._fields, "ad_groups_count"),
    Stream.ADS: Target(Ad, EntityKind.AD, AdRecord._fields, "ads_count"),
}
ORDER = tuple(Stream)
