"""A walk that writes as Django offers it: `bulk_create(update_conflicts=True)`, 500 rows at a time."""

from typing import Any

from django.db import transaction

from benchmarks.peers.walk import Walk
from providers.meta.parse import records_of
from providers.records import Stream
from sync.engine.streams import TARGETS
from sync.models import Connection

KEY = ["connection", "external_id"]


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
