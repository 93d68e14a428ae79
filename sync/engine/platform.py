"""The platform's client for a connection: the provider's class, the grant, and the budget."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache, partial

from django.conf import settings
from django.utils import timezone

from providers.base import AdAccountRef, Breaker, Client, Gate, Grant, Usage
from providers.breaker import Circuits, EndpointBreaker
from providers.budget import BudgetGate, BudgetStore, PastCall
from providers.errors import LimitReached
from providers.http import CALL_SECONDS
from providers.registry import GoogleConfig, MetaConfig, client_for
from providers.session import Session
from sync import prepared
from sync.crypto import decrypt, encrypt
from sync.engine.limits import limits_of
from sync.engine.past_calls import past_calls
from sync.google.operations import operations_of
from sync.models import Connection, Credential, SyncRun
from sync.models.choices import Priority, Provider

_local = threading.local()
PLATFORMS = {Provider.META: "Meta", Provider.GOOGLE: "Google"}  # as the errors name them
TIER = """
    UPDATE sync_connection SET access_tier = %(tier)s
    WHERE provider = %(provider)s AND external_id = %(external_id)s
"""
TOKEN_MARGIN = timedelta(minutes=1)  # an access token that ends sooner is as good as expired


class CredentialTokens:
    """`providers.base.TokenStore` in the credential's row, encrypted: all runs share one token."""

    def __init__(self, credential: Credential) -> None:
        self._credential = credential

    def load(self) -> str | None:
        """The stored token, if it lives another minute."""
        expires_at = self._credential.access_token_expires_at
        if expires_at is None or expires_at < timezone.now() + TOKEN_MARGIN:
            return None
        return decrypt(self._credential.access_token_encrypted)

    def save(self, token: str, lifetime: float) -> None:
        """Keep a new token for the next runs."""
        used = self._credential
        used.access_token_encrypted = encrypt(token)
        used.access_token_expires_at = timezone.now() + timedelta(seconds=lifetime)
        # nowhere, when the user gave a new grant meanwhile: it would hide that one for an hour
        Credential.objects.filter(pk=used.pk, secret_encrypted=used.secret_encrypted).update(
            access_token_encrypted=used.access_token_encrypted,
            access_token_expires_at=used.access_token_expires_at,
        )


def open_client(run: SyncRun) -> tuple[Client, BudgetGate]:
    """A client whose every call is taken from the run's budget, and that budget's gate."""
    gate = gate_for(
        run.connection,
        background=run.priority != Priority.MANUAL,
        past_calls=lambda: past_calls(asking=run.lease_token, made=client.calls),
    )
    provider, ad_account = Provider(run.provider), run.connection.external_id
    breaker = EndpointBreaker(circuits(), provider, ad_account, label=PLATFORMS[provider])
    client = connection_client(run.connection, gate, breaker)
    return client, gate


def connection_client(connection: Connection, gate: Gate, breaker: Breaker | None = None) -> Client:
    """A client for a connection with its stored grant."""
    credential = connection.credential
    grant = Grant(credential.secret, CredentialTokens(credential))
    ad_account = AdAccountRef(
        connection.external_id, connection.currency, connection.time_zone, connection.login_customer_id
    )
    return platform_client(connection.provider, grant, ad_account, gate, breaker)


def platform_client(
    provider: str, grant: Grant, ad_account: AdAccountRef, gate: Gate, breaker: Breaker | None = None
) -> Client:
    """A client for any grant, over this thread's pool of connections."""
    config, session = _config(provider), _session()
    return client_for(provider, config, grant, ad_account, gate=gate, session=session, breaker=breaker)


def gate_for(
    connection: Connection,
    *,
    background: bool,
    past_calls: Callable[[], Iterator[PastCall]] = past_calls,
    heard: Callable[[Usage], None] = lambda _: None,
) -> BudgetGate:
    """The budget of a connection's calls; background work leaves the reserve alone. `heard` is told what
    every answer said of the platform's limits."""

    def learn(usage: Usage) -> None:
        _learn_tier(connection, usage)
        heard(usage)

    is_google = connection.provider == Provider.GOOGLE
    return BudgetGate(
        budget_store(),
        partial(limits_of, connection),
        background=background,
        reserve=settings.BUDGET_RESERVE,
        call_seconds=CALL_SECONDS,
        past_calls=past_calls,
        heard=learn,
        ledger=operations_of(connection.account, background=background) if is_google else None,
    )


def _learn_tier(connection: Connection, usage: Usage) -> None:
    """Its documented limits hold from the next call on."""
    tier = usage.tier[:40]
    if tier and tier != connection.access_tier:
        connection.access_tier = tier
        named = {"provider": connection.provider, "external_id": connection.external_id, "tier": tier}
        prepared.run(TIER, named)


@contextmanager
def heeding(gate: BudgetGate) -> Iterator[None]:
    """Around a client's calls: what the platform refuses rests, for everybody."""
    try:
        yield
    except LimitReached as exc:
        gate.park(exc)
        raise


@cache
def budget_store() -> BudgetStore:
    """The budgets' server; short time-outs, for a worker must not hang on it."""
    return BudgetStore.connect(settings.REDIS_URL)


@cache
def circuits() -> Circuits:
    """The circuits, on the budgets' server: without it nothing is called anyway."""
    return Circuits(budget_store().client)


def _session() -> Session:
    """One pool of connections per thread: a drain's many runs keep their connections."""
    if not hasattr(_local, "session"):
        _local.session = Session()
    session: Session = _local.session
    return session


def _config(provider: str) -> MetaConfig | GoogleConfig:
    if provider == Provider.META:
        return MetaConfig(
            graph_url=settings.META_GRAPH_URL,
            version=settings.META_API_VERSION,
            app_id=settings.META_APP_ID,
            app_secret=settings.META_APP_SECRET,
        )
    return GoogleConfig(
        ads_url=settings.GOOGLE_ADS_URL,
        oauth_url=settings.GOOGLE_OAUTH_URL,
        version=settings.GOOGLE_API_VERSION,
        client_id=settings.GOOGLE_CLIENT_ID,
        client_secret=settings.GOOGLE_CLIENT_SECRET,
        developer_token=settings.GOOGLE_DEVELOPER_TOKEN,
    )
