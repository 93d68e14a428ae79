"""Google's insights as records.

| record | Google's field | unit |
|---|---|---|
| `external_id` | `customer.id`, `campaign.id`, `ad_group.id`; of an ad `ad_group.id~ad_group_ad.ad.id` | |
| `day` | `segments.date` | day of the customer's time zone |
| `campaign_external_id` | `campaign.id`, at and below that level | |
| `ad_group_external_id` | `ad_group.id`, at and below that level | |
| `currency` | `customer.currency_code` | |
| `impressions`, `clicks` | `metrics.impressions`, `metrics.clicks` | |
| `spend_micros` | `metrics.cost_micros` | Google: micros of the currency, whatever it is |
| `conversions` | `metrics.conversions` | credited, so it may have a fraction |
| `conversion_value_micros` | `metrics.conversions_value` | Google: the currency's whole units, a double |
| `conversions_by_type` | the same two by `segments.conversion_action_name`; None unless asked for | |
| `reach` | None: Google has none that stands beside the others | |
| `video_views` | `metrics.video_trueview_views` | |
| `extra` | `all_conversions`, `all_conversions_value` (text), `interactions`, `view_through_conversions` | |

With attribution `conversion_date` the four about conversions are those `…_by_conversion_date`: a conversion
counts on the day on which it happened, and not on that of the click. What a row leaves out is zero.
Performance Max has no ads: its campaigns' metrics are in no row below theirs.
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from providers.google.insight_queries import CONVERSIONS, EXTRA, metric
from providers.google.known import KNOWN_INSIGHTS, camel
from providers.google.parse import id_of
from providers.google.stream import Row
from providers.google.walk import Key, ids_key
from providers.records import InsightRecord, Level
from providers.values import Values

_COUNTS = frozenset({"interactions", "view_through_conversions"})
_NONE = Decimal()


class Question(NamedTuple):
    """What was asked: the rows can't be read without it."""

    level: Level
    currency: str
    attribution: str


def insight_records(rows: Sequence[Row], question: Question, by_type: "ByType | None") -> list[InsightRecord]:
    """The rows' records; a row without an id or a day is left out."""
    read = Values()
    records = []
    for row in rows:
        record = _record(read.row(row), question, read)
        if record is not None:
            types = None if by_type is None else by_type.of(key_of(record))
            records.append(record._replace(conversions_by_type=types))
    read.tell("google", "insights")
    KNOWN_INSIGHTS.compare(rows)
    if not records:
        raise ValueError("no row of the page has an id and a day")
    return records


def key_of(record: InsightRecord) -> Key:
    """By which rows are ordered."""
    return record.day.toordinal(), *ids_key(record.external_id)


def _record(row: Row, question: Question, read: Values) -> InsightRecord | None:
    ids, day = _ids(row, question.level, read), _day(row, read)
    if not ids.own or day is None:
        return None
    names = _names(question.attribution)
    get = read.row(row.get("metrics", {})).get
    return InsightRecord(
        external_id=ids.own,
        day=day,
        campaign_external_id=ids.campaign,
        ad_group_external_id=ids.ad_group,
        currency=question.currency,
        attribution=question.attribution,
        impressions=read.number(get("impressions")) or 0,
        clicks=read.number(get("clicks")) or 0,
        spend_micros=read.number(get("costMicros")) or 0,
        conversions=read.decimal(get(names.conversions)) or _NONE,
        conversion_value_micros=read.micros(get(names.value)) or 0,
        conversions_by_type=None,
        reach=None,
        video_views=read.number(get("videoTrueviewViews")) or 0,
        extra={
            name: (read.number(get(wire)) or 0) if is_count else _text(read.decimal(get(wire)))
            for name, wire, is_count in names.extra
        },
    )


class _Names(NamedTuple):
    """What the wire calls the metrics whose names depend on the attribution, and those of `extra`: each with
    our name for it, and whether it is a count."""

    conversions: str
    value: str
    extra: tuple[tuple[str, str, bool], ...]


@cache
def _names(attribution: str) -> _Names:
    wire = {name: camel(metric(name, attribution)) for name in (*CONVERSIONS, *EXTRA)}
    extra = tuple((name, wire[name], name in _COUNTS) for name in EXTRA)
    return _Names(wire["conversions"], wire["conversions_value"], extra)


class _Ids(NamedTuple):
    """Of the entity and of those above it; empty where the row has none."""

    own: str
    campaign: str = ""
    ad_group: str = ""


def _ids(row: Row, level: Level, read: Values) -> _Ids:
    if level is Level.ACCOUNT:
        return _Ids(id_of(read.row(row.get("customer")), read))
    campaign = id_of(read.row(row.get("campaign")), read)
    if level is Level.CAMPAIGN:
        return _Ids(campaign, campaign)
    group = id_of(read.row(row.get("adGroup")), read)
    if level is Level.AD_GROUP:
        return _Ids(group, campaign, group)
    ad = id_of(read.row(read.row(row.get("adGroupAd")).get("ad")), read)
    return _Ids(f"{group}~{ad}" if group and ad else "", campaign, group)


def _day(row: Row, read: Values) -> date | None:
    return read.day(read.row(row.get("segments")).get("date"))


def _text(number: Decimal | None) -> str:
    """The same text for the same number: 1.0 and 1 are no change."""
    return f"{number.normalize():f}" if number else "0"


class ByType:
    """Conversions by type, read beside rows that come in the same order."""

    def __init__(self, rows: Iterator[Row], question: Question) -> None:
        self._rows = rows
        self._level = question.level
        self._names = _names(question.attribution)
        self._read = Values()
        self._next: tuple[Key, Row] | None = None
        self._step()

    def of(self, key: Key) -> dict[str, Any]:
        """Those of one record; keys must be asked for in their order."""
        found: dict[str, Any] = {}
        while self._next is not None and self._next[0] <= key:
            at, row = self._next
            if at == key:
                name = self._read.text(self._read.row(row.get("segments")).get("conversionActionName", ""))
                found[name] = self._told(self._read.row(row.get("metrics", {})))
            self._step()
        return found

    def _step(self) -> None:
        self._next = None
        for row in self._rows:
            own, day = _ids(row, self._level, self._read).own, _day(row, self._read)
            if own and day is not None:
                self._next = (day.toordinal(), *ids_key(own)), row
                return

    def _told(self, metrics: Row) -> dict[str, Any]:
        return {
            "count": _text(self._read.decimal(metrics.get(self._names.conversions))),
            "value_micros": self._read.micros(metrics.get(self._names.value)) or 0,
        }
