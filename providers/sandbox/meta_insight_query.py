"""The parameters of an insights call, read and checked, for both ways to ask."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from providers.sandbox.catalog import Ad, AdGroup, Campaign, Entity
from providers.sandbox.constants import Kind
from providers.sandbox.delivery import WINDOWS
from providers.sandbox.meta_errors import MetaError, bad_parameter
from providers.sandbox.meta_query import parse_json
from providers.sandbox.world import Account

LEVELS = {"account": None, "campaign": Kind.CAMPAIGNS, "adset": Kind.AD_GROUPS, "ad": Kind.ADS}
_LEVEL_OF = {Campaign: "campaign", AdGroup: "adset", Ad: "ad"}
KEPT_MONTHS = 37
DEFAULT_WINDOWS = ("7d_click", "1d_view")
# `7d_view` and `28d_view` are taken, and answer nothing any more.
_KNOWN_WINDOWS = {*WINDOWS, "7d_view", "28d_view", "1d_ev", "default", "dda"}
_PRESETS = {"today": (0, 0), "yesterday": (1, 1), "last_7d": (7, 1), "last_14d": (14, 1), "last_30d": (30, 1)}


class InsightQuery(NamedTuple):
    """What is asked for, and of whom."""

    account: Account
    parent: Entity | None
    level: str
    since: date
    until: date
    increment: int  # days in a row; 0: all of them
    filtering: str
    windows: tuple[str, ...]
    today: date

    @property
    def kind(self) -> Kind | None:
        """Of the entities that the rows are about; None for the ad account."""
        return LEVELS[self.level]


def parse_query(
    account: Account, parent: Entity | None, params: Mapping[str, str], today: date
) -> InsightQuery:
    """Read the parameters; what Meta refuses is refused."""
    level = params.get("level", _LEVEL_OF[type(parent)] if parent else "account")
    if level not in LEVELS:
        raise bad_parameter(f"level must be one of the following values: {', '.join(LEVELS)}")
    for name in ("breakdowns", "time_ranges"):
        if parse_json(name, params.get(name) or "[]"):
            raise bad_parameter(f"the sandbox offers no {name}")
    if parse_json("action_breakdowns", params.get("action_breakdowns") or "[]") not in ([], ["action_type"]):
        raise bad_parameter("the sandbox offers action_breakdowns by action_type only")
    since, until = _days(params, today)
    if since < _months_before(today, KEPT_MONTHS):
        raise MetaError(
            3018, f"(#3018) The start date of the time range cannot be beyond {KEPT_MONTHS} months"
        )
    windows = parse_json("action_attribution_windows", params.get("action_attribution_windows") or "[]")
    if unknown := set(windows) - _KNOWN_WINDOWS:
        raise bad_parameter(f"action_attribution_windows: {min(unknown)} is none")
    filtering = params.get("filtering") or "[]"
    return InsightQuery(
        account, parent, level, since, until, _increment(params), filtering, tuple(windows), today
    )


def _days(params: Mapping[str, str], today: date) -> tuple[date, date]:
    if "time_range" not in params:
        first, last = _PRESETS.get(params.get("date_preset", "last_30d"), (0, -1))
        if last < 0:
            raise bad_parameter("date_preset must be a valid preset")
        return today - timedelta(first), today - timedelta(last)
    told: Any = parse_json("time_range", params["time_range"])
    try:
        since, until = date.fromisoformat(told["since"]), date.fromisoformat(told["until"])
    except (KeyError, TypeError, ValueError):
        raise bad_parameter("time_range needs since and until as YYYY-MM-DD") from None
    if since > until:
        raise bad_parameter("time_range: since is later than until")
    return since, until


def _increment(params: Mapping[str, str]) -> int:
    text = params.get("time_increment", "all_days")
    if text == "all_days":
        return 0
    if not text.isdigit() or not 1 <= int(text) <= 90:
        raise bad_parameter("time_increment must be all_days, or a number of days from 1 to 90")
    return int(text)


def _months_before(day: date, months: int) -> date:
    """The first day of that month's same date, or of its end where it is shorter."""
    index = day.year * 12 + day.month - 1 - months
    return date(index // 12, index % 12 + 1, min(day.day, 28))
