"""Hold the catalog of connections against the sandbox's truth, entity by entity."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import UUID

import requests
from django.db import models

from providers.records import EntityStatus, Stream
from sync.models import Ad, AdGroup, Campaign, Connection

TIMEOUT = 30  # seconds; the answer is made from memory
_MODELS: dict[Stream, type[models.Model]] = {
    Stream.CAMPAIGNS: Campaign,
    Stream.AD_GROUPS: AdGroup,
    Stream.ADS: Ad,
}
_PARENTS = {  # the truth's name of each parent, and the catalog's
    Stream.CAMPAIGNS: {},
    Stream.AD_GROUPS: {"campaign_id": "campaign_external_id"},
    Stream.ADS: {"campaign_id": "campaign_external_id", "ad_group_id": "ad_group_external_id"},
}
_STATUSES = {  # the platforms' words, as the catalog has them
    "ACTIVE": EntityStatus.ACTIVE,
    "ENABLED": EntityStatus.ACTIVE,
    "PAUSED": EntityStatus.PAUSED,
    "ARCHIVED": EntityStatus.ARCHIVED,
    "DELETED": EntityStatus.REMOVED,
    "REMOVED": EntityStatus.REMOVED,
}


class Comparison(NamedTuple):
    """One stream of one connection: how many rows on each side, and which ids differ; of metrics, days."""

    connection: str
    stream: str
    copied: int
    platform: int
    differing: list[str]

    @property
    def is_equal(self) -> bool:
        """The same ids, each with the same name, status and parents; the same days with the same sums."""
        return not self.differing


def compare(connection: Connection, sandbox_url: str) -> list[Comparison]:
    """All streams of one connection."""
    return compare_all([connection], sandbox_url)


def compare_all(connections: Sequence[Connection], sandbox_url: str) -> list[Comparison]:
    """All streams of many connections, with one request and three queries per provider."""
    by_provider: defaultdict[str, list[Connection]] = defaultdict(list)
    for connection in connections:
        by_provider[connection.provider].append(connection)
    return [
        comparison
        for provider, some in by_provider.items()
        for comparison in _compare_provider(provider, some, sandbox_url)
    ]


def _compare_provider(provider: str, connections: list[Connection], sandbox_url: str) -> Iterator[Comparison]:
    question = {"platform": provider, "accounts": [connection.external_id for connection in connections]}
    answer = requests.post(f"{sandbox_url}/control/truths", json=question, timeout=TIMEOUT)
    answer.raise_for_status()
    truths = answer.json()["truths"]
    copied = {stream: _copied(stream, connections) for stream in Stream}
    for connection in connections:
        truth = truths[connection.external_id.removeprefix("act_")]
        for stream in Stream:
            expected = _expected(stream, truth[stream])
            yield _compare(connection, stream, copied[stream][connection.pk], expected)


Rows = dict[str, tuple[Any, ...]]  # by external id: name, status and parents


def _copied(stream: Stream, connections: list[Connection]) -> defaultdict[UUID, Rows]:
    """What the catalog holds, by connection."""
    rows = _MODELS[stream]._default_manager.filter(connection__in=connections, removed_at=None)
    columns = ("connection", "external_id", "name", "status", *_PARENTS[stream].values())
    copied: defaultdict[UUID, Rows] = defaultdict(dict)
    for connection, external_id, *rest in rows.values_list(*columns):
        copied[connection][external_id] = tuple(rest)
    return copied


def _expected(stream: Stream, truth: dict[str, dict[str, Any]]) -> Rows:
    parents = _PARENTS[stream]
    return {
        key: (told["name"], _status(told), *(told[name] for name in parents)) for key, told in truth.items()
    }


def _compare(connection: Connection, stream: Stream, copied: Rows, expected: Rows) -> Comparison:
    keys = expected.keys() | copied.keys()
    differing = sorted(key for key in keys if expected.get(key) != copied.get(key))
    return Comparison(str(connection), stream, len(copied), len(expected), differing)


def _status(told: dict[str, Any]) -> str:
    """At Meta an archived or deleted parent counts for what is below it."""
    effective = told.get("effective_status")
    return _STATUSES[effective if effective in ("ARCHIVED", "DELETED") else told["status"]]
