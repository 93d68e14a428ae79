"""Meta's insights as records.

| record | Meta's field | unit |
|---|---|---|
| `external_id` | `ad_id`, `adset_id`, `campaign_id`; at account level the ad account's `act_<digits>` | |
| `day` | `date_start` | day of the ad account's time zone |
| `currency` | `account_currency` | |
| `impressions`, `clicks` | the same; `clicks` are all clicks | |
| `spend_micros` | `spend` | Meta: major units as text |
| `conversions` | `actions`: `omni_purchase`, else `purchase` | may have a fraction |
| `conversion_value_micros` | `action_values` of the same type | Meta: major units as text |
| `conversions_by_type` | all of `actions` and `action_values` | |
| `reach` | `reach`; not additive over days or entities | people |
| `video_views` | `video_thruplay_watched_actions`: to the end, or 15 s; nearest to Google's | |
| `extra` | `frequency` (text), `inline_link_clicks`, `video_play_actions` (starts of a video) | |

An action is counted as the attribution says: its windows are added. What a row does not tell of money and
counts is nothing, for Meta leaves zeros out; reach and videos that it does not tell are unknown.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from providers.meta.fields import ATTRIBUTION_WINDOWS, DEFAULT_ATTRIBUTION, INSIGHT_LEVELS
from providers.meta.known import KNOWN_INSIGHTS
from providers.records import InsightRecord, Level
from providers.values import Row, Values

PURCHASES = ("omni_purchase", "purchase")  # all channels together; where Meta tells no such sum, what it has
ZERO = Decimal(0)
_NO_WINDOW = frozenset(["action_type", "value", "inline"])


class Question(NamedTuple):
    """What was asked: the rows can't be read without it."""

    level: Level
    account_id: str
    currency: str  # for rows that don't tell it
    attribution: str = DEFAULT_ATTRIBUTION


def insight_records(rows: Sequence[Row], question: Question) -> list[InsightRecord]:
    """One page's records; a row without an id or a day is left out."""
    read = Values()
    found = [_record(read.row(row), question, read) for row in rows]
    read.tell("meta", "insights")
    KNOWN_INSIGHTS[question.level].compare(rows)
    records = [record for record in found if record is not None]
    if rows and not records:
        raise ValueError("no row of the page has an id and a day")
    return records


def _record(row: Row, question: Question, read: Values) -> InsightRecord | None:
    get, is_account = row.get, question.level is Level.ACCOUNT
    entity = question.account_id if is_account else read.id(get(f"{INSIGHT_LEVELS[question.level]}_id", ""))
    day = read.day(get("date_start"))
    if not entity or day is None:
        return None
    by_type = _by_type(row, question.attribution, read)
    bought = next((by_type[name] for name in PURCHASES if name in by_type), _Conversions())
    return InsightRecord(
        external_id=entity,
        day=day,
        campaign_external_id=read.id(get("campaign_id", "")),
        ad_group_external_id=read.id(get("adset_id", "")),
        currency=read.text(get("account_currency") or question.currency),
        attribution=question.attribution,
        impressions=read.number(get("impressions")) or 0,
        clicks=read.number(get("clicks")) or 0,
        spend_micros=read.micros(get("spend")) or 0,
        conversions=bought.number,
        conversion_value_micros=bought.value_micros,
        conversions_by_type={name: one.told() for name, one in by_type.items()},
        reach=read.number(get("reach")),
        video_views=_total(get("video_thruplay_watched_actions"), read),
        extra=_extra(row, read),
    )


class _Conversions(NamedTuple):
    number: Decimal = ZERO
    value_micros: int = 0

    def told(self) -> dict[str, Any]:
        text = str(self.number)
        count = text if text.isdigit() else format(self.number.normalize(), "f")
        return {"count": count, "value_micros": self.value_micros}


def _by_type(row: Row, attribution: str, read: Values) -> dict[str, _Conversions]:
    counts = _amounts(row.get("actions"), attribution, read)
    values = _amounts(row.get("action_values"), attribution, read)
    return {
        name: _Conversions(counts.get(name, ZERO), (read.micros(values[name]) or 0) if name in values else 0)
        for name in (counts | values if values else counts)
    }


def _amounts(items: object, attribution: str, read: Values) -> dict[str, Decimal]:
    """By type of action, the sum of the attribution's windows; the same type may come in several items.

    Meta leaves out a window that is 0. Where it tells none at all, `value` is what its default makes of them.
    """
    amounts: dict[str, Decimal] = {}
    windows, decimal = ATTRIBUTION_WINDOWS[attribution], read.decimal
    for item in _items(items, read):
        amount, is_told = ZERO, False
        for window in windows:
            if window in item:
                amount, is_told = amount + (decimal(item[window]) or ZERO), True
        if not is_told and attribution == DEFAULT_ATTRIBUTION and not item.keys() - _NO_WINDOW:
            amount = decimal(item.get("value")) or ZERO
        name = read.text(item.get("action_type", ""))
        amounts[name] = amounts[name] + amount if name in amounts else amount
    return amounts


def _total(items: object, read: Values) -> int | None:
    """Of a list that names no conversions, which no window divides; None where Meta tells nothing."""
    if items is None:
        return None
    return int(sum(read.decimal(item.get("value")) or 0 for item in _items(items, read)))


def _items(items: object, read: Values) -> list[Row]:
    if items is None:
        return []
    if isinstance(items, list):
        return [read.row(item) for item in items]
    read.odd += 1
    return []


def _extra(row: Row, read: Values) -> dict[str, Any]:
    frequency = read.decimal(row.get("frequency"))
    extra = {
        "frequency": None if frequency is None else str(frequency),
        "inline_link_clicks": read.number(row.get("inline_link_clicks")),
        "video_play_actions": _total(row.get("video_play_actions"), read),
    }
    return {name: value for name, value in extra.items() if value is not None}
