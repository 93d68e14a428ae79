"""How Google writes rows: one object per resource, and only the selected fields of each."""

from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import Any

from providers.sandbox.gaql import Query
from providers.sandbox.google_fields import RESOURCES, Selected, select, view_of

Row = Any


@cache  # of the names of fields, which are few
def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


Writer = Callable[[Row], dict[str, Any]]


@lru_cache(maxsize=256)  # as many as are parsed
def writer(query: Query) -> Writer:
    """How to write a row: one object per resource named in SELECT, and the one of FROM."""
    view = view_of(query)
    resources: dict[str, list[Selected]] = {query.resource: []}
    for path in query.fields:
        chosen = select(view, path)
        resources.setdefault(chosen.resource, []).append(chosen)
    objects = [
        (camel(resource), view.ways[resource], _object_writer(resource, fields))
        for resource, fields in resources.items()
    ]
    return lambda row: {name: write(way(row)) for name, way, write in objects}


def odd_writer(query: Query, *, word: str = "", keys: bool = False) -> Writer:
    """As `writer`, with `word` in place of every enum's, or with keys that no documentation has."""
    write, view = writer(query), view_of(query)
    enums = [chosen for path in query.fields if (chosen := select(view, path)).field.type == "enum"]

    def write_oddly(row: Row) -> dict[str, Any]:
        written = write(row)
        for chosen in enums if word else ():
            parent, name = _place(chosen.name)
            target = written[camel(chosen.resource)]
            (target[parent] if parent else target)[name] = word
        return written | {"metricAttributes": {"unheardOf": [1, None]}} if keys else written

    return write_oddly


def _object_writer(resource: str, fields: Iterable[Selected]) -> Writer:
    name_of, nested = RESOURCES[resource].name_of, any(f.name.startswith("ad.") for f in fields)
    steps = [
        (*_place(f.name), f.field.get, f.field.type == "int64") for f in fields if f.name != "resource_name"
    ]

    def write(target: Any) -> dict[str, Any]:
        result: dict[str, Any] = {"resourceName": name_of(target)} if name_of else {}
        if nested:
            result["ad"] = {"resourceName": f"customers/{target.account.id}/ads/{target.id}"}
        for parent, name, get, is_int64 in steps:
            value = get(target)
            if not value or value == "UNSPECIFIED":
                continue  # a default value is left out
            place = result.setdefault(parent, {}) if parent else result
            place[name] = str(value) if is_int64 else value
        return result

    return write


def _place(name: str) -> tuple[str, str]:
    """`ad.final_urls` goes into the object `ad` as `finalUrls`."""
    parent, _, leaf = name.rpartition(".")
    return camel(parent), camel(leaf)
