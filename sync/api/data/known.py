"""Whether an id is known at all: a mistyped one must not look like one that has nothing.

404 for an id that is nobody's in any of the ad accounts that the query is about.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet
from django.http import Http404

from providers.records import Level
from sync.models import Ad, AdGroup, Campaign, Change, Connection, Insight, SyncRun

Place = tuple[type[Model], str]  # a table, and the column in which an id may stand
Connections = Mapping[UUID, Connection]

PARENTS = {"campaign": Level.CAMPAIGN, "adGroup": Level.AD_GROUP}  # by the query's word
ENTITIES: dict[Level, tuple[Place, ...]] = {  # in its own row, or in those of what lies below it
    Level.ACCOUNT: (),
    Level.CAMPAIGN: (
        (Campaign, "external_id"),
        (AdGroup, "campaign_external_id"),
        (Ad, "campaign_external_id"),
    ),
    Level.AD_GROUP: ((AdGroup, "external_id"), (Ad, "ad_group_external_id")),
    Level.AD: ((Ad, "external_id"),),
}
CHANGED: tuple[Place, ...] = (
    (Change, "external_id"),
    (Campaign, "external_id"),
    (AdGroup, "external_id"),
    (Ad, "external_id"),
)
RUNS: tuple[Place, ...] = ((SyncRun, "pk"), (Change, "run_id"))  # changes are kept longer than runs


def check_asked(
    connections: Connections, level: Level, asked: Mapping[str, Any], *, measured: bool = False
) -> None:
    """The ids in the query of a list of one level: its own, and those of what it lies in.

    With `measured` metrics make them known, too: the platforms also tell those of what they no longer list.
    """
    for name, own in {**PARENTS, "id": level}.items():
        missing = _unknown(connections, ENTITIES[own], asked.get(name, ()))
        if own == Level.ACCOUNT:
            missing -= {connection.external_id for connection in connections.values()}
        if measured and missing:
            missing -= _found(Insight.objects.filter(level=own), "external_id", connections, missing)
        _refuse(own.replace("_", " "), missing)


def check_changed(connections: Connections, ids: Iterable[str]) -> None:
    """Entities of any kind."""
    _refuse("campaign, ad group or ad", _unknown(connections, CHANGED, ids))


def check_runs(connections: Connections, ids: Iterable[UUID]) -> None:
    """Runs."""
    _refuse("run", _unknown(connections, RUNS, ids))


def _unknown(connections: Connections, places: Iterable[Place], ids: Iterable[Any]) -> set[Any]:
    missing = set(ids)
    for model, column in places:
        if missing:
            missing -= _found(model._default_manager.all(), column, connections, missing)
    return missing


def _found(rows: QuerySet[Any, Any], column: str, connections: Connections, ids: set[Any]) -> set[Any]:
    own = rows.filter(connection_id__in=list(connections), **{f"{column}__in": ids})
    return set(own.order_by().values_list(column, flat=True).distinct())


def _refuse(noun: str, missing: set[Any]) -> None:
    if missing:
        raise Http404(f"No {noun} with the id {min(missing)} is known.")
