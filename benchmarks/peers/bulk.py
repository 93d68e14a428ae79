"""A walk that writes as Django offers it: `bulk_create(update_conflicts=True)`, 500 rows at a time."""

from typing import Any
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from benchmarks.peers.bare_metrics import Metrics
from benchmarks.peers.walk import Walk
from providers.meta.insight_rows import Question, insight_records
from providers.meta.parse import records_of
from providers.records import InsightRecord, Level, Stream
from sync.engine.insights.partitions import ensure_partitions
from sync.engine.streams import TARGETS
from sync.models import Connection, Insight

KEY = ["connection", "external_id"]
METRICS_KEY = ["connection", "level", "day", "external_id"]


def walk_in(walk: Walk) -> None:
    """Each page's rows, inserted or overwritten in the product's own tables."""
    to = Connection.objects.get(external_id=walk.account)
    for stream in Stream:
        target = TARGETS[stream]
        written = [column for column in target.columns if column != "external_id"]
        for page in walk.pages(stream):
            records = records_of(stream, page, to.currency)
            rows: list[Any] = [target.model(connection=to, **record._asdict()) for record in records]
            with transaction.atomic():
                target.model._default_manager.bulk_create(
                    rows,
                    update_conflicts=True,
                    update_fields=written,
                    unique_fields=KEY,
                )


def read_in(metrics: Metrics) -> None:
    """The same with daily metrics, 500 rows a statement."""
    to = Connection.objects.get(external_id=metrics.walk.account)
    question = Question(Level.AD, metrics.walk.account, to.currency)
    written = [name for name in InsightRecord._fields if name not in METRICS_KEY]
    own = {"connection": to, "level": Level.AD.value, "run_id": uuid4(), "updated_at": timezone.now()}
    ensure_partitions(metrics.since, metrics.until)
    for page in metrics.pages():
        rows = [Insight(**own, **record._asdict()) for record in insight_records(page, question)]
        with transaction.atomic():
            Insight.objects.bulk_create(
                rows, 500, update_conflicts=True, update_fields=written, unique_fields=METRICS_KEY
            )
