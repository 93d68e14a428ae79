"""The metrics of one row, or of many together: sums first, then the ratios of the sums."""

from typing import Any

from django.db.models import Expression, F, FloatField, QuerySet, Sum, Value
from django.db.models.functions import Cast, NullIf, Round
from rest_framework import serializers
from rest_framework.serializers import IntegerField

from sync.api.data.listing import Orderings
from sync.api.data.row import Row

ADDED = ("impressions", "clicks", "spend_micros", "conversions", "conversion_value_micros", "video_views")
MICROS = "Micros of the currency: 1,000,000 are one unit."
ORDERINGS: Orderings = {
    "impressions": "total_impressions",
    "clicks": "total_clicks",
    "spendMicros": "total_spend_micros",
    "conversions": "total_conversions",
}


class MetricsRow(Row):
    """Metrics, and what they are per each other; null where nothing is to divide by."""

    impressions = IntegerField(source="total_impressions")
    clicks = IntegerField(source="total_clicks")
    spendMicros = IntegerField(source="total_spend_micros", help_text=MICROS)
    conversions = serializers.FloatField(source="total_conversions")
    conversionValueMicros = IntegerField(source="total_conversion_value_micros", help_text=MICROS)
    videoViews = IntegerField(
        source="total_video_views", allow_null=True, help_text="Null where not measured."
    )
    ctr = serializers.FloatField(allow_null=True, help_text="Clicks per impression.")
    cpcMicros = IntegerField(source="cpc", allow_null=True, help_text=f"Spend per click. {MICROS}")
    cpmMicros = IntegerField(
        source="cpm", allow_null=True, help_text=f"Spend per 1,000 impressions. {MICROS}"
    )
    costPerConversionMicros = IntegerField(
        source="cost_per_conversion", allow_null=True, help_text=f"Spend per conversion. {MICROS}"
    )
    roas = serializers.FloatField(allow_null=True, help_text="Conversion value per spend.")


def of_each(rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    """With the metrics of each row."""
    return _with_ratios(rows.annotate(**{f"total_{name}": F(name) for name in ADDED}))


def of_all(groups: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    """With the metrics of all rows of each group together."""
    return _with_ratios(groups.annotate(**{f"total_{name}": Sum(name) for name in ADDED}))


def _with_ratios(rows: QuerySet[Any, Any]) -> QuerySet[Any, Any]:
    with_ratios: QuerySet[Any, Any] = rows.annotate(
        ctr=_ratio("clicks", "impressions"),
        cpc=Round(_ratio("spend_micros", "clicks")),
        cpm=Round(_ratio("spend_micros", "impressions") * Value(1000.0)),
        cost_per_conversion=Round(_ratio("spend_micros", "conversions")),
        roas=_ratio("conversion_value_micros", "spend_micros"),
    )
    return with_ratios


def _ratio(part: str, whole: str) -> Expression:
    """Of two sums. As floating point, which holds 15 digits."""
    divisor = NullIf(Cast(f"total_{whole}", FloatField()), Value(0.0))
    return Cast(f"total_{part}", FloatField()) / divisor
