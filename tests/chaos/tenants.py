"""Accounts with connections to the sandbox: new ones for each scenario, which so inherits no state."""

from dataclasses import dataclass

from providers.sandbox.process import Sandbox
from sync.models import Account, Connection
from sync.models.choices import Provider
from tests.factories import make_account, make_connection, make_credential
from tests.platforms import SECRETS, connect

SMALL = {"campaigns": 3, "ad_groups": 9, "ads": 60}
LARGE = {"campaigns": 10, "ad_groups": 60, "ads": 2_300}  # five pages of ads at Meta


@dataclass(frozen=True)
class Tenants:
    """The accounts of one scenario, and all their connections."""

    accounts: list[Account]
    connections: list[Connection]

    @property
    def ids(self) -> list[str]:
        """The accounts' ids."""
        return [str(account.pk) for account in self.accounts]


def three_tenants(sandbox: Sandbox, name: str) -> Tenants:
    """Each with two ad accounts at Meta and one at Google; the first has a large one of each."""
    accounts = [make_account(f"{name} {number}") for number in (1, 2, 3)]
    connections = []
    for account in accounts:
        for index, provider in enumerate((Provider.META, Provider.META, Provider.GOOGLE)):
            size = LARGE if account is accounts[0] and index != 1 else SMALL
            connections.append(connect(sandbox, account, provider, **size))
    return Tenants(accounts, connections)


def many_connections(sandbox: Sandbox, account: Account, provider: str, count: int) -> list[Connection]:
    """So many tiny ad accounts of one grant."""
    opened = sandbox.control("accounts", platform=provider, campaigns=1, ad_groups=2, ads=4, count=count)
    credential = make_credential(account, provider, SECRETS[Provider(provider)])
    is_meta = provider == Provider.META
    return [
        make_connection(
            account,
            provider,
            external_id=f"act_{told['id']}" if is_meta else told["id"],
            login_customer_id="" if is_meta else told["manager_id"],
            currency=told["currency"],
            time_zone=told["time_zone"],
            credential=credential,
        )
        for told in opened["accounts"]
    ]
