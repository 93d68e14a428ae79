"""Which connections a request means, and why there may be none."""

from uuid import UUID

from sync.errors import NotConnected, TokenRejected
from sync.models import Account, Connection
from sync.models.choices import ConnectionStatus, CredentialStatus, Provider


def connections_to_sync(
    account: Account, provider: str, connection_id: UUID | None = None
) -> list[Connection]:
    """The account's connections of a provider that can sync now, or an error that says what to do."""
    connections = Connection.objects.of_account(account).filter(provider=provider)
    if connection_id is not None:
        connections = connections.filter(pk=connection_id)
    active = list(connections.active().select_related("credential", "account").order_by("pk"))
    if active:
        return active
    label = Provider(provider).label
    connected = connections.filter(status=ConnectionStatus.ACTIVE)
    if connected.filter(credential__status=CredentialStatus.RECONNECT_NEEDED).exists():
        raise TokenRejected(f"{label} no longer accepts the stored grant. Connect the ad account again.")
    if connected.exists():
        raise NotConnected(f"Syncing of {label} is paused. Resume it to sync.")
    raise NotConnected(f"No active {label} ad account is connected. Connect one first.")
