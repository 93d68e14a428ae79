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

from collections.abc import Callable, Sequence
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
    counts = _amounts(get("actions"), question.attribution, read)
    values = _worth(_amounts(get("action_values"), question.attribution, read), read)
    bought = next((name for name in PURCHASES if name in counts or name in values), PURCHASES[0])
    return InsightRecord(
        entity,
        day,
        read.id(get("campaign_id", "")),
        read.id(get("adset_id", "")),
        read.text(get("account_currency") or question.currency),
        question.attribution,
        read.number(get("impressions")) or 0,
        read.number(get("clicks")) or 0,
        read.micros(get("spend")) or 0,
        counts.get(bought, ZERO),
        values.get(bought, 0),
        _by_type(counts, values),
        read.number(get("reach")),
        _total(get("video_thruplay_watched_actions"), read),
        _extra(get, read),
    )


def _by_type(counts: dict[str, Decimal], values: dict[str, int]) -> dict[str, Any]:
    names = counts | values if values else counts
    return {
        name: {"count": _text(counts.get(name, ZERO)), "value_micros": values.get(name, 0)} for name in names
    }


def _text(count: Decimal) -> str:
    """Without exponents and empty places."""
    text = str(count)
    return text if text.isdigit() else format(count.normalize(), "f")


def _worth(amounts: dict[str, Decimal], read: Values) -> dict[str, int]:
    return {name: read.micros(amount) or 0 for name, amount in amounts.items()}


def _amounts(items: object, attribution: str, read: Values) -> dict[str, Decimal]:
    """By type of action, the sum of the attribution's windows; the same type may come in several items.

    Meta leaves out a window that is 0. Where it tells none at all, `value` is what its default makes of them.
    """
    amounts: dict[str, Decimal] = {}
    windows, is_default = ATTRIBUTION_WINDOWS[attribution], attribution == DEFAULT_ATTRIBUTION
    for item in _items(items, read):
        if _NO_WINDOW.issuperset(item):
            amount = read.decimal(item.get("value")) or ZERO if is_default else ZERO
        else:
            amount = sum([read.decimal(item[name]) or ZERO for name in windows if name in item], ZERO)
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


def _extra(get: Callable[[str], Any], read: Values) -> dict[str, Any]:
    frequency = read.decimal(get("frequency"))
    extra = {
        "frequency": None if frequency is None else str(frequency),
        "inline_link_clicks": read.number(get("inline_link_clicks")),
        "video_play_actions": _total(get("video_play_actions"), read),
    }
    return {name: value for name, value in extra.items() if value is not None}
