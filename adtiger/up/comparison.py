"""Hold the catalog of one connection against the sandbox's truth, entity by entity."""

from typing import Any, NamedTuple

import requests
from django.db import models

from providers.records import EntityStatus, Stream
from sync.models import Ad, AdGroup, Campaign, Connection

_TIMEOUT = 30  # seconds; the answer is made from memory
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
    """One stream of one connection: how many rows on each side, and which ids differ."""

    connection: str
    stream: Stream
    copied: int
    platform: int
    differing: list[str]

    @property
    def is_equal(self) -> bool:
        """The same ids, each with the same name, status and parents."""
        return not self.differing


def compare(connection: Connection, sandbox_url: str) -> list[Comparison]:
    """All streams of one connection."""
    question = {"platform": connection.provider, "account": connection.external_id}
    answer = requests.get(f"{sandbox_url}/control/truth", params=question, timeout=_TIMEOUT)
    answer.raise_for_status()
    truth = answer.json()
    return [_compare(connection, stream, truth[stream]) for stream in Stream]


def _compare(connection: Connection, stream: Stream, truth: dict[str, dict[str, Any]]) -> Comparison:
    parents = _PARENTS[stream]
    expected = {
        key: (told["name"], _status(told), *(told[name] for name in parents)) for key, told in truth.items()
    }
    rows = _MODELS[stream]._default_manager.filter(connection=connection, removed_at=None)
    columns = rows.values_list("external_id", "name", "status", *parents.values())
    copied = {external_id: tuple(rest) for external_id, *rest in columns}
    keys = expected.keys() | copied.keys()
    differing = sorted(key for key in keys if expected.get(key) != copied.get(key))
    return Comparison(str(connection), stream, len(copied), len(expected), differing)


def _status(told: dict[str, Any]) -> str:
    """At Meta an archived or deleted parent counts for what is below it."""
    effective = told.get("effective_status")
    return _STATUSES[effective if effective in ("ARCHIVED", "DELETED") else told["status"]]
