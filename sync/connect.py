"""Connect ad accounts with a grant that the user has: the one way in, for the command, the demo and pages.

Guarantee: a grant is tried at the platform before anything is stored, and a refused one changes
nothing. Connecting the same ad account again renews its grant, so what waited for it goes on.
"""

from dataclasses import dataclass
from functools import partial

from django.db import transaction

from providers.base import AdAccountRef, Grant
from providers.http import FreeGate
from providers.records import AdAccountRecord
from sync.engine.platform import platform_client
from sync.errors import SyncError
from sync.ledger.nudge import nudge
from sync.models import Account, Connection, Credential
from sync.models.choices import ConnectionStatus, CredentialStatus, Priority, Provider


class CannotConnect(SyncError):
    """The ad account is there, but there is nothing to sync in it."""

    code = "cannot_connect"
    title = "Cannot connect"


@dataclass(frozen=True)
class Connected:
    """A connection, and whether it is new."""

    connection: Connection
    created: bool


def connect_ad_account(
    account: Account, provider: str, external_id: str, secret: str, *, login_customer_id: str = ""
) -> Connected:
    """Connect one ad account. Raises `ProviderError` as the platform refuses, or `CannotConnect`."""
    wanted = AdAccountRef(
        normalised_id(provider, external_id), login_customer_id=login_customer_id.replace("-", "")
    )
    told = platform_client(provider, Grant(secret), wanted, FreeGate()).account()
    _check(told)
    with transaction.atomic():
        return _store(account, provider, told, secret, None)


def connect_all(account: Account, provider: str, secret: str) -> list[Connected]:
    """Connect every active ad account that the grant reaches, all with one credential."""
    client = platform_client(provider, Grant(secret), AdAccountRef(""), FreeGate())
    found = [told for told in client.accounts() if told.is_active and not told.is_manager]
    if not found:
        raise CannotConnect("The grant reaches no active ad account.")
    with transaction.atomic():
        credential = _new_credential(account, provider, secret, "All ad accounts of one grant")
        return [_store(account, provider, told, secret, credential) for told in found]


def normalised_id(provider: str, external_id: str) -> str:
    """As the platform's API names it: `act_<digits>` at Meta, digits at Google."""
    digits = external_id.strip().removeprefix("act_").replace("-", "")
    if not digits.isdigit():
        example = "act_1234567890" if provider == Provider.META else "123-456-7890"
        raise CannotConnect(f"{external_id!r} is no id of an ad account: it looks like {example}.")
    return f"act_{digits}" if provider == Provider.META else digits


def _check(told: AdAccountRecord) -> None:
    if told.is_manager:
        raise CannotConnect(f"{told.name} is a manager: connect the customers below it.")
    if not told.is_active:
        raise CannotConnect(f"{told.name} is not active at the platform ({told.platform_status}).")


def _store(
    account: Account, provider: str, told: AdAccountRecord, secret: str, credential: Credential | None
) -> Connected:
    existing = Connection.objects.filter(
        account=account, provider=provider, external_id=told.external_id
    ).first()
    if credential is None and existing and _may_renew(existing):
        credential = _renew(existing.credential, secret)
    credential = credential or _new_credential(account, provider, secret, told.name)
    columns = {
        "credential": credential,
        "login_customer_id": told.login_customer_id,
        "name": told.name,
        "currency": told.currency,
        "time_zone": told.time_zone,
        "status": ConnectionStatus.ACTIVE,
    }
    connection, created = Connection.objects.update_or_create(
        account=account, provider=provider, external_id=told.external_id, defaults=columns
    )
    transaction.on_commit(partial(_wake, connection))
    return Connected(connection, created)


def _new_credential(account: Account, provider: str, secret: str, name: str) -> Credential:
    credential = Credential(account=account, provider=provider, name=name[:120])
    credential.secret = secret
    credential.save()
    return credential


def _may_renew(connection: Connection) -> bool:
    """Whether nobody can lose by it: the old grant is dead, or no other connection uses it."""
    credential = connection.credential
    alone = not credential.connections.exclude(pk=connection.pk).exists()
    return alone or credential.status == CredentialStatus.RECONNECT_NEEDED


def _renew(credential: Credential, secret: str) -> Credential:
    """The same credential with a new grant; all connections that it reaches go on."""
    credential.secret = secret
    credential.status = CredentialStatus.ACTIVE
    credential.access_token_encrypted, credential.access_token_expires_at = "", None
    credential.save()
    return credential


def _wake(connection: Connection) -> None:
    """What waited for a reconnect may start at once."""
    nudge(connection.provider, connection.region, priority=Priority.SCHEDULED)
