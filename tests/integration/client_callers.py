"""The real clients against the sandbox, and a gate that remembers what it was told."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from providers.base import AdAccountRef, Client, Grant, Selection, Usage
from providers.google.client import GoogleClient
from providers.meta.client import MetaClient
from providers.records import Page, Record, Stream
from providers.registry import GoogleConfig, MetaConfig
from providers.sandbox.accounts import MANAGER
from providers.sandbox.constants import (
    GOOGLE_CLIENT_ID,
    GOOGLE_CLIENT_SECRET,
    GOOGLE_REFRESH_TOKEN,
    META_APP_ID,
    META_APP_SECRET,
    META_TOKEN,
)
from providers.sandbox.process import Sandbox
from providers.session import Session


@dataclass
class RecordingGate:
    """Lets every call pass, and remembers each take and what its answer said."""

    taken: list[str] = field(default_factory=list)
    settled: dict[str, Usage] = field(default_factory=dict)
    use_cases: list[str] = field(default_factory=list)

    def take(self, use_case: str = "") -> str:
        ticket = str(len(self.taken))
        self.taken.append(ticket)
        self.use_cases.append(use_case)
        return ticket

    def settle(self, ticket: str, usage: Usage) -> None:
        assert ticket not in self.settled
        self.settled[ticket] = usage

    @property
    def last(self) -> Usage:
        return self.settled[self.taken[-1]]


def meta_config(sandbox: Sandbox) -> MetaConfig:
    return MetaConfig(
        graph_url=sandbox.urls["META_GRAPH_URL"], app_id=META_APP_ID, app_secret=META_APP_SECRET
    )


def google_config(sandbox: Sandbox, **values: Any) -> GoogleConfig:
    return GoogleConfig(
        ads_url=sandbox.urls["GOOGLE_ADS_URL"],
        oauth_url=sandbox.urls["GOOGLE_OAUTH_URL"],
        client_id=GOOGLE_CLIENT_ID,
        client_secret=GOOGLE_CLIENT_SECRET,
        **values,
    )


def meta_client(
    sandbox: Sandbox,
    account: str = "",
    *,
    token: str = META_TOKEN,
    currency: str = "USD",
    page_size: int = 50,
    gate: RecordingGate | None = None,
    session: Session | None = None,
) -> MetaClient:
    """Pages of 50, so that an account of 200 ads has four."""
    return MetaClient(
        meta_config(sandbox),
        Grant(token),
        AdAccountRef(account, currency),
        gate=gate or RecordingGate(),
        session=session or Session(),
        page_size=page_size,
    )


def google_client(
    sandbox: Sandbox,
    customer: str = "",
    *,
    grant: Grant | None = None,
    login: str = MANAGER,
    currency: str = "EUR",
    time_zone: str = "Europe/Berlin",
    page_size: int = 50,
    gate: RecordingGate | None = None,
    config: GoogleConfig | None = None,
    clock: Callable[[], float] = time.time,
) -> GoogleClient:
    """Pages of 50, so that a customer of 200 ads has four."""
    return GoogleClient(
        config or google_config(sandbox),
        grant or Grant(GOOGLE_REFRESH_TOKEN),
        AdAccountRef(customer, currency, time_zone, login),
        gate=gate or RecordingGate(),
        session=Session(),
        page_size=page_size,
        clock=clock,
    )


def read(
    client: Client, stream: Stream, *, campaigns: Iterable[str] = (), cursor: str | None = None
) -> list[Page]:
    """All pages of a stream, or those behind a cursor."""
    return list(client.pages(stream, selection=Selection(tuple(campaigns)), cursor=cursor))


def records(pages: Iterable[Page]) -> list[Record]:
    return [record for page in pages for record in page.records]


def ids(pages: Iterable[Page]) -> list[str]:
    return [record.external_id for record in records(pages)]
