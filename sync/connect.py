"""Connect ad accounts with a grant that the user has: the one way in, for the command, the demo and pages.

Guarantee: a grant is tried at the platform before anything is stored, by calls that the budgets count;
a refused one changes nothing. Connecting the same ad account again renews its grant, so what waited
for it goes on, and keeps no grant that reaches nothing any more.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from django.db import transaction

from providers.base import AdAccountRef, Client, Grant
from providers.records import AdAccountRecord
from sync.engine.outside import outside_runs
from sync.engine.platform import gate_for, platform_client
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
    """Connect one ad account. Raises `ProviderError`, `BudgetSpent` or `CannotConnect`."""
    wanted = AdAccountRef(
        normalised_id(provider, external_id), login_customer_id=login_customer_id.replace("-", "")
    )
    with _client(account, provider, secret, wanted) as client:
        told = client.account()
    _check(told)
    return _store(account, provider, [told], secret, name=told.name)[0]


def connect_all(account: Account, provider: str, secret: str) -> list[Connected]:
    """Connect every active ad account that the grant reaches, all with one credential. Raises the same."""
    with _client(account, provider, secret, AdAccountRef("")) as client:
        found = [told for told in client.accounts() if told.is_active and not told.is_manager]
    if not found:
        raise CannotConnect("The grant reaches no active ad account.")
    return _store(account, provider, found, secret, name="All ad accounts of one grant")


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


@contextmanager
def _client(account: Account, provider: str, secret: str, wanted: AdAccountRef) -> Iterator[Client]:
    """A client within the budgets: the ad account may be connected elsewhere, and is counted once."""
    connection = Connection(account=account, provider=provider, external_id=wanted.external_id)
    gate = gate_for(connection, background=False)
    with outside_runs(connection, gate, platform_client(provider, Grant(secret), wanted, gate)) as client:
        yield client


@transaction.atomic
def _store(
    account: Account, provider: str, found: Sequence[AdAccountRecord], secret: str, *, name: str
) -> list[Connected]:
    Account.objects.select_for_update(no_key=True).get(pk=account.pk)  # one at a time decides on grants
    ids = [told.external_id for told in found]
    used = account.connections.filter(provider=provider, external_id__in=ids).values("credential")
    old = list(Credential.objects.filter(pk__in=used).order_by("pk"))
    credential = next((one for one in old if _may_renew(one, ids)), None)
    credential = _keep(credential or Credential(account=account, provider=provider, name=name[:120]), secret)
    connected = [_connect(account, provider, told, credential) for told in found]
    Credential.objects.filter(pk__in=[one.pk for one in old], connections=None).delete()
    return connected


def _may_renew(credential: Credential, ids: Sequence[str]) -> bool:
    """Whether nobody can lose by it: the old grant is dead, or no other ad account uses it."""
    alone = not credential.connections.exclude(external_id__in=ids).exists()
    return alone or credential.status == CredentialStatus.RECONNECT_NEEDED


def _keep(credential: Credential, secret: str) -> Credential:
    """A credential with this grant; all connections that it reaches already go on."""
    credential.secret = secret
    credential.status, credential.lost_at = CredentialStatus.ACTIVE, None
    credential.access_token_encrypted, credential.access_token_expires_at = "", None
    credential.save()
    return credential


def _connect(account: Account, provider: str, told: AdAccountRecord, credential: Credential) -> Connected:
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


def _wake(connection: Connection) -> None:
    """What waited for a reconnect may start at once."""
    nudge(connection.provider, connection.region, priority=Priority.SCHEDULED)
