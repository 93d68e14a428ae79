"""The caller's ad accounts that a query is about, read once per request."""

from typing import Any
from uuid import UUID

from django.http import Http404

from sync.models import Account, Connection

TOLD = ("id", "provider", "external_id", "name", "currency", "time_zone", "attribution")


def own_connections(account: Account, asked: dict[str, Any]) -> dict[UUID, Connection]:
    """By id, narrowed by `connection` and `provider`; 404 for an id that is not the caller's."""
    mine = Connection.objects.of_account(account).only(*TOLD)
    if named := asked.get("connection"):
        mine = mine.filter(pk__in=named)
    found = {connection.pk: connection for connection in mine}
    for unknown in set(named or ()) - set(found):
        raise Http404(f"You have no ad account with the id {unknown}.")
    providers = asked.get("provider")
    return {pk: one for pk, one in found.items() if not providers or one.provider in providers}
