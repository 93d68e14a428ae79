"""The parameters of a Graph call, read and checked: fields, effective_status, filtering, limit."""

import re
from collections.abc import Callable, Mapping
from operator import contains, eq, ge, gt, le, lt, ne
from typing import Any

import orjson

from providers.sandbox.catalog import Entity
from providers.sandbox.constants import Kind
from providers.sandbox.meta_errors import bad_parameter
from providers.sandbox.meta_status import (
    AD_SET_STATUSES,
    AD_STATUSES,
    CAMPAIGN_STATUSES,
    HIDDEN,
    effective_status,
)

Test = Callable[[Entity], bool]


class Tree(dict[str, "Tree"]):
    """Fields asked for, with those of the nested nodes: `id,creative{id,name}`."""


DEFAULT_LIMIT = 25
STATUSES_OF = {Kind.CAMPAIGNS: CAMPAIGN_STATUSES, Kind.AD_GROUPS: AD_SET_STATUSES, Kind.ADS: AD_STATUSES}
_TOKENS = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|[{},])")


def parse_fields(text: str) -> Tree:
    """`fields` as a comma list, or as a JSON list, as the SDKs send it in a POST."""
    if text.startswith("["):
        text = ",".join(parse_json("fields", text))
    root = Tree()
    stack, name, at = [root], "", 0
    while at < len(text):
        token = _TOKENS.match(text, at)
        if token is None:
            raise bad_parameter(f"Syntax error at character {at} of fields")
        at, word = token.end(), token[1]
        if word == "{":
            stack.append(stack[-1].setdefault(name, Tree()))
        elif word == "}" and len(stack) > 1:
            stack.pop()
        elif word not in "{},":
            name = word
            stack[-1].setdefault(name, Tree())
    if len(stack) > 1:
        raise bad_parameter("Syntax error: a brace of fields is not closed")
    return root


def parse_json(name: str, text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise bad_parameter(f"param {name} must be valid JSON") from None


def parse_limit(params: Mapping[str, str]) -> int:
    text = params.get("limit", str(DEFAULT_LIMIT))
    if not text.isdigit() or not int(text):
        raise bad_parameter("param limit must be a positive integer")
    return int(text)


def wants_total(params: Mapping[str, str]) -> bool:
    """`summary=true`, `summary=total_count` and `summary=["total_count"]` all ask for it."""
    return params.get("summary", "false") not in ("false", "0")


# What a filter may name after its prefix.
_VALUES: dict[str, Callable[[Entity], Any]] = {
    "id": lambda entity: entity.id,
    "name": lambda entity: entity.name,
    "effective_status": effective_status,
    "updated_time": lambda entity: entity.updated,
    "created_time": lambda entity: entity.created,
}
_NUMBERS = frozenset({"id", "updated_time", "created_time"})
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUAL": eq,
    "NOT_EQUAL": ne,
    "GREATER_THAN": gt,  # strict: what changed in that very second is not told again
    "GREATER_THAN_OR_EQUAL": ge,
    "LESS_THAN": lt,
    "LESS_THAN_OR_EQUAL": le,
    "CONTAIN": contains,
    "NOT_CONTAIN": lambda value, wanted: wanted not in value,
    "IN": lambda value, wanted: value in wanted,
    "NOT_IN": lambda value, wanted: value not in wanted,
}
# The node that a prefix means, seen from the rows of an edge.
_PREFIXES: dict[Kind, dict[str, Callable[[Any], Entity]]] = {
    Kind.CAMPAIGNS: {"campaign": lambda campaign: campaign},
    Kind.AD_GROUPS: {"campaign": lambda group: group.campaign, "adset": lambda group: group},
    Kind.ADS: {
        "campaign": lambda ad: ad.group.campaign,
        "adset": lambda ad: ad.group,
        "ad": lambda ad: ad,
    },
}


def parse_selection(kind: Kind, params: Mapping[str, str]) -> list[Test]:
    """The conditions that a listing's rows must meet. Archived and deleted ones have to be asked for."""
    tests = [_statuses(kind, params["effective_status"])] if "effective_status" in params else []
    asked = bool(tests)
    filters = parse_json("filtering", params.get("filtering") or "[]")
    for item in filters:
        test = _filter(kind, item)
        tests += [test] if test else []
        asked = asked or str(item.get("field", "")).endswith(".effective_status")
    if "updated_since" in params and kind != Kind.CAMPAIGNS:  # campaigns know no such parameter
        since = int(params["updated_since"])
        tests.append(lambda entity: entity.updated >= since)
    if not asked:
        tests.insert(0, lambda entity: effective_status(entity) not in HIDDEN)
    return tests


def _statuses(kind: Kind, text: str) -> Test:
    wanted = parse_json("effective_status", text)
    for n, status in enumerate(wanted):
        if status not in STATUSES_OF[kind]:
            allowed = ", ".join(STATUSES_OF[kind])
            raise bad_parameter(f"Param effective_status[{n}] must be one of {{{allowed}}}")
    chosen = frozenset(wanted)
    return lambda entity: effective_status(entity) in chosen


def _filter(kind: Kind, item: dict[str, Any]) -> Test | None:
    """One element of `filtering`. A field without a prefix filters nothing, as at Meta."""
    try:
        name, operator, wanted = str(item["field"]), str(item["operator"]), item["value"]
    except (KeyError, TypeError):
        raise bad_parameter("Each element of filtering needs field, operator and value") from None
    prefix, _, name = name.rpartition(".")
    if not prefix:
        return None
    node = _PREFIXES[kind].get(prefix)
    value, compare = _VALUES.get(name), _OPERATORS.get(operator)
    if node is None or value is None or compare is None:
        raise bad_parameter(
            f"Filtering field {prefix}.{name} with operation {operator.lower()} is not supported"
        )
    if name in _NUMBERS:
        try:
            wanted = frozenset(map(int, wanted)) if isinstance(wanted, list) else int(wanted)
        except (TypeError, ValueError):
            raise bad_parameter(f"Filtering field {prefix}.{name} takes numbers") from None
    return lambda entity: compare(value(node(entity)), wanted)
