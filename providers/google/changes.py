"""What changed, out of `change_status`: the latest change of each resource, kept for 90 days.

Only what AdTiger copies is asked for by excluding the rest, so that a type which this version of the API
calls UNKNOWN still comes: the number in its resource's name tells what it is. Keywords and other criteria
change nothing that is copied.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

from providers.base import Selection
from providers.errors import InvalidRequest
from providers.google import clock
from providers.google.queries import numbers
from providers.google.stream import Row
from providers.http import reading

Ask = Callable[[str], Iterator[list[Row]]]

KEPT = timedelta(days=90)
DELAY = timedelta(minutes=3)  # until Google shows a change
MOST = 10_000  # rows of one answer; beyond them there is no paging, for many may share one moment
TOO_OLD = "changeStatusError.START_DATE_TOO_OLD"
NOT_COPIED = (
    "AD_GROUP_ASSET, AD_GROUP_BID_MODIFIER, AD_GROUP_CRITERION, ASSET, ASSET_GROUP, ASSET_SET, "
    "CAMPAIGN_ASSET, CAMPAIGN_ASSET_SET, CAMPAIGN_CRITERION, CAMPAIGN_SHARED_SET, COMBINED_AUDIENCE, "
    "CUSTOMER_ASSET, SHARED_SET"
)
# The numbers of types in resource names, changeStatus/{micros}-{number}-{id}-…: a table of their own.
NUMBERS = {"2": "AD_GROUP", "3": "AD_GROUP_AD", "5": "CAMPAIGN", "7": "CAMPAIGN_BUDGET"}
# Where a row names its resource, which may be left out.
NAMES = {
    "AD_GROUP": "adGroup",
    "AD_GROUP_AD": "adGroupAd",
    "CAMPAIGN": "campaign",
    "CAMPAIGN_BUDGET": "campaign",
}


def since(moment: datetime, now: datetime, ask: Ask) -> Selection | None:
    """What changed after `moment`; None where Google can't tell all of it. `now` is the customer's."""
    begin = moment.astimezone(UTC) - DELAY
    if now - begin > KEPT:
        return None
    try:
        rows = [row for some in ask(query(begin, now)) for row in some]
    except InvalidRequest as exc:
        if exc.platform_code == TOO_OLD:  # by Google's clock
            return None
        raise
    if len(rows) >= MOST:
        return None
    with reading("Google"):
        touched = _touched(rows)
    return Selection(
        campaign_ids=_sorted(touched["CAMPAIGN"] | _campaigns_of(touched["CAMPAIGN_BUDGET"], ask)),
        ad_group_ids=_sorted(touched["AD_GROUP"]),
        ad_ids=_sorted(touched["AD_GROUP_AD"]),
        with_children=False,
    )


def query(begin: datetime, now: datetime) -> str:
    """The changes from `begin` on. The end is tomorrow: a finite one is asked for."""
    return (
        "SELECT change_status.resource_name, change_status.resource_type, change_status.campaign, "  # noqa: S608 - nothing of it is anybody's text
        "change_status.ad_group, change_status.ad_group_ad FROM change_status "
        f"WHERE change_status.last_change_date_time >= '{clock.earliest(begin, now)}' "
        f"AND change_status.last_change_date_time <= '{clock.text(now + timedelta(days=1))}' "
        f"AND change_status.resource_type NOT IN ({NOT_COPIED}) LIMIT {MOST}"
    )


def _touched(rows: list[Row]) -> dict[str, set[str]]:
    """Ids by type; of budgets those that do not name their campaign."""
    touched: dict[str, set[str]] = {name: set() for name in NAMES}
    for row in rows:
        status = row["changeStatus"]
        _, number, ids = status["resourceName"].rpartition("/")[2].split("-", 2)
        kind = status.get("resourceType", "")
        kind = kind if kind in NAMES else NUMBERS.get(number, "")
        named = status.get(NAMES.get(kind, ""), "").rpartition("/")[2]
        if kind == "CAMPAIGN_BUDGET" and named:
            kind = "CAMPAIGN"
        if kind:
            touched[kind].add(named or ids.replace("-", "~"))
    return touched


def _campaigns_of(budget_ids: set[str], ask: Ask) -> set[str]:
    """Whose budgets these are: several campaigns may share one."""
    if not budget_ids:
        return set()
    ids = numbers(_sorted(budget_ids))
    asked = f"SELECT campaign.id FROM campaign WHERE campaign_budget.id IN ({ids})"  # noqa: S608 - digits
    with reading("Google"):
        return {row["campaign"]["id"] for rows in ask(asked) for row in rows}


def _sorted(ids: set[str]) -> tuple[str, ...]:
    return tuple(sorted(ids))
