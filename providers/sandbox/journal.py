"""Who did what to an account since the sandbox began: what the platforms tell of changes comes out of it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from providers.sandbox.catalog import Entity

EDITOR = "editor@sandbox.example"  # who edits where nobody is named


class Operation(StrEnum):
    """What was done."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    REMOVE = "REMOVE"


@dataclass(frozen=True, slots=True)
class Entry:
    """One edit of one entity."""

    at: float  # unix seconds
    entity: Entity
    operation: Operation
    fields: dict[str, tuple[Any, Any]]  # by name: before and after
    by: str  # an e-mail address
