"""Whether an entity is known at all: a mistyped id must not look like one that was never delivered."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.http import Http404

from providers.records import Level
from sync.engine.insights.plan import CATALOG
from sync.models import Connection, Insight

LEVELS = {"campaign": Level.CAMPAIGN, "adGroup": Level.AD_GROUP}  # the parents'


def check_known(connections: Mapping[UUID, Connection], asked: dict[str, Any]) -> None:
    """404 for an id that none of the ad accounts has."""
    levels = {**LEVELS, "id": Level(asked["level"])}
    for name in levels.keys() & asked.keys():
        level, missing = levels[name], set(asked[name])
        if level == Level.ACCOUNT:
            missing -= {connection.external_id for connection in connections.values()}
        else:
            copied = CATALOG[level]._default_manager.filter(connection_id__in=list(connections))
            missing -= set(copied.filter(external_id__in=missing).values_list("external_id", flat=True))
        if missing:  # platforms also tell metrics of what they no longer list
            measured = Insight.objects.filter(connection_id__in=list(connections), level=level)
            missing -= set(measured.filter(external_id__in=missing).values_list("external_id", flat=True))
        if missing:
            raise Http404(f"No {level.replace('_', ' ')} with the id {min(missing)} is known.")
