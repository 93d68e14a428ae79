"""Find what an operator names, or say which option is wrong and what to do."""

from typing import TypeVar
from uuid import UUID

from django.core.management.base import CommandError

from sync.models import Account, Connection

T = TypeVar("T", Account, Connection)


def find_account(name: str) -> Account:
    """By id, or by its exact name."""
    found = list(Account.objects.filter(pk=pk) if (pk := _uuid(name)) else Account.objects.filter(name=name))
    return _only(
        found, "--account", name, "Name it by its exact name or id; see the admin's list of accounts."
    )


def find_connection(name: str) -> Connection:
    """By id, or by the platform's id of the ad account."""
    related = Connection.objects.select_related("account", "credential")
    pk = _uuid(name)
    found = list(related.filter(pk=pk) if pk else related.filter(external_id=name))
    hint = "Name it by its id, or by the platform's id as it is stored (act_123, 1234567890)."
    return _only(found, "--connection", name, hint)


def _only(rows: list[T], option: str, name: str, hint: str) -> T:
    if not rows:
        raise CommandError(f"{option}: there is no {name!r}. {hint}")
    if len(rows) > 1:
        raise CommandError(f"{option}: {name!r} names {len(rows)}. Use the id instead.")
    return rows[0]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
