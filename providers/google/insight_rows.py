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
from typing import Any, NamedTuple

from providers.google.insight_queries import CONVERSION_DATE, EXTRA
from providers.google.parse import id_of
from providers.google.stream import Row
from providers.google.walk import Key, ids_key
from providers.records import InsightRecord, Level
from providers.values import Values

_COUNTS = frozenset({"interactions", "view_through_conversions"})


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
    if not records:
        raise ValueError("no row of the page has an id and a day")
    return records


def key_of(record: InsightRecord) -> Key:
    """By which rows are ordered."""
    return record.day.toordinal(), *ids_key(record.external_id)


def _record(row: Row, question: Question, read: Values) -> InsightRecord | None:
    entity, day = _entity(row, question.level, read)
    if not entity or day is None:
        return None
    metrics, of_date = read.row(row.get("metrics", {})), _of_date(question)
    get, is_below = metrics.get, question.level in (Level.AD_GROUP, Level.AD)
    return InsightRecord(
        external_id=entity,
        day=day,
        campaign_external_id=_parent(row, question.level, read),
        ad_group_external_id=id_of(read.row(row.get("adGroup")), read) if is_below else "",
        currency=question.currency,
        attribution=question.attribution,
        impressions=read.number(get("impressions")) or 0,
        clicks=read.number(get("clicks")) or 0,
        spend_micros=read.number(get("costMicros")) or 0,
        conversions=read.decimal(get(f"conversions{of_date}")) or Decimal(),
        conversion_value_micros=read.micros(get(f"conversionsValue{of_date}")) or 0,
        conversions_by_type=None,
        reach=None,
        video_views=read.number(get("videoTrueviewViews")) or 0,
        extra={name: _extra(name, metrics, of_date, read) for name in EXTRA},
    )


def _of_date(question: Question) -> str:
    """How the names of metrics about conversions end."""
    return "ByConversionDate" if question.attribution == CONVERSION_DATE else ""


def _entity(row: Row, level: Level, read: Values) -> tuple[str, date | None]:
    day = read.day(read.row(row.get("segments")).get("date"))
    match level:
        case Level.ACCOUNT:
            return id_of(read.row(row.get("customer")), read), day
        case Level.CAMPAIGN:
            return id_of(read.row(row.get("campaign")), read), day
        case Level.AD_GROUP:
            return id_of(read.row(row.get("adGroup")), read), day
        case Level.AD:
            group = id_of(read.row(row.get("adGroup")), read)
            ad = id_of(read.row(read.row(row.get("adGroupAd")).get("ad")), read)
            return f"{group}~{ad}" if group and ad else "", day


def _parent(row: Row, level: Level, read: Values) -> str:
    return "" if level is Level.ACCOUNT else id_of(read.row(row.get("campaign")), read)


def _extra(name: str, metrics: Row, of_date: str, read: Values) -> int | str:
    """Counts as numbers; what may have a fraction as text, for JSON has no decimals."""
    head, *rest = name.split("_")
    wire = head + "".join(part.capitalize() for part in rest)
    if name in _COUNTS:
        return read.number(metrics.get(wire)) or 0
    return _text(read.decimal(metrics.get(wire + of_date)))


def _text(number: Decimal | None) -> str:
    """The same text for the same number: 1.0 and 1 are no change."""
    return f"{(number or Decimal()).normalize():f}"


class ByType:
    """Conversions by type, read beside rows that come in the same order."""

    def __init__(self, rows: Iterator[Row], question: Question) -> None:
        self._rows = rows
        self._level = question.level
        self._of_date = _of_date(question)
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
            entity, day = _entity(row, self._level, self._read)
            if entity and day is not None:
                self._next = (day.toordinal(), *ids_key(entity)), row
                return

    def _told(self, metrics: Row) -> dict[str, Any]:
        count, value = f"conversions{self._of_date}", f"conversionsValue{self._of_date}"
        return {
            "count": _text(self._read.decimal(metrics.get(count))),
            "value_micros": self._read.micros(metrics.get(value)) or 0,
        }
