"""The sandbox as the platform of a benchmark; it refuses nobody, for budgets are measured elsewhere."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from django.conf import settings

from providers.sandbox import constants
from providers.sandbox.process import Sandbox, start
from sync.ledger.queues import ensure_queue
from sync.models import Account, Connection, Credential
from sync.models.choices import Provider

NO_LIMIT = "1000000000/60"  # calls/seconds


class Platform(NamedTuple):
    """What is there to be synced."""

    sandbox: Sandbox
    token: str
    accounts: list[str]  # Meta's ids
    latency: float = 0.0  # seconds of each call

    @property
    def url(self) -> str:
        """The sandbox's address."""
        return self.sandbox.url

    def slow(self, latency: float) -> "Platform":
        """The same, with calls that take so many seconds."""
        self.sandbox.control("settings", latency={"meta": latency})
        return self._replace(latency=latency)

    def open(self, *, accounts: int, campaigns: int, ad_groups: int, ads: int) -> list[str]:
        """Further ad accounts of this size each; returns their ids."""
        opened = self.sandbox.control(
            "accounts", platform="meta", count=accounts, campaigns=campaigns, ad_groups=ad_groups, ads=ads
        )
        return [f"act_{account['id']}" for account in opened["accounts"]]


@contextmanager
def open_platform(*, accounts: int, campaigns: int, ad_groups: int = 0, ads: int = 0) -> Iterator[Platform]:
    """Meta ad accounts of this size each, and a token for all of them; the environment tells children."""
    with start("--no-recorded", "--meta-limit", NO_LIMIT) as sandbox:
        token = sandbox.control("tokens", platform="meta")["token"]
        os.environ["SANDBOX_TOKEN"] = token
        use(sandbox)
        platform = Platform(sandbox, token, [])
        platform.accounts.extend(
            platform.open(accounts=accounts, campaigns=campaigns, ad_groups=ad_groups, ads=ads)
        )
        yield platform


def use(sandbox: Sandbox) -> None:
    """Let the product, and the children of this process, talk to the sandbox."""
    told = {
        **{name: url for name, url in sandbox.urls.items() if name != "url"},
        "META_APP_ID": constants.META_APP_ID,
        "META_APP_SECRET": constants.META_APP_SECRET,
        "GOOGLE_CLIENT_ID": constants.GOOGLE_CLIENT_ID,
        "GOOGLE_CLIENT_SECRET": constants.GOOGLE_CLIENT_SECRET,
    }
    os.environ |= told
    for name, value in told.items():
        setattr(settings, name, value)  # they were read before the sandbox had an address


def connect_new(sandbox: Sandbox, provider: str, campaigns: int, ad_groups: int, ads: int) -> Connection:
    """A tenant with a new ad account of this size, and a grant for it."""
    size = {"campaigns": campaigns, "ad_groups": ad_groups, "ads": ads}
    [opened] = sandbox.control("accounts", platform=provider, **size)["accounts"]
    account = Account.objects.create(name=f"tenant of {opened['id']}")
    credential = Credential(account=account, provider=provider)
    credential.secret = sandbox.control("tokens", platform=provider)["token"]
    credential.save()
    ensure_queue(provider, settings.REGION)
    is_meta = provider == Provider.META
    return Connection.objects.create(
        account=account,
        credential=credential,
        provider=provider,
        external_id=f"act_{opened['id']}" if is_meta else opened["id"],
        login_customer_id="" if is_meta else opened["manager_id"],
        currency=opened["currency"],
        time_zone=opened["time_zone"],
    )
