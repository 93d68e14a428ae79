"""The platforms that AdTiger knows. A new one is a folder like `meta/`, and a line here."""

from collections.abc import Callable
from typing import Any, Protocol

from providers.base import AdAccountRef, Breaker, Client, Gate, Grant
from providers.google.client import GoogleClient
from providers.google.config import GoogleConfig
from providers.google.insight_queries import ATTRIBUTIONS as GOOGLE_ATTRIBUTIONS
from providers.meta.client import MetaClient
from providers.meta.config import MetaConfig
from providers.meta.fields import ATTRIBUTION_WINDOWS
from providers.meta.tiers import windows_of
from providers.meta.usage import ADS_INSIGHTS, ADS_MANAGEMENT
from providers.session import Session

__all__ = [
    "ATTRIBUTIONS",
    "CLIENTS",
    "TIER_WINDOWS",
    "USE_CASES",
    "GoogleConfig",
    "MetaConfig",
    "client_for",
    "use_case_of",
]


class ClientClass(Protocol):
    """How every client is made."""

    def __call__(
        self,
        config: Any,
        grant: Grant,
        ad_account: AdAccountRef,
        *,
        gate: Gate,
        session: Session,
        breaker: Breaker | None,
    ) -> Client: ...


CLIENTS: dict[str, ClientClass] = {"meta": MetaClient, "google": GoogleClient}
USE_CASES = {
    "meta": (ADS_MANAGEMENT, ADS_INSIGHTS),
    "google": (),
}  # for all but metrics, for metrics
# What the platform documents for an ad account, by its access tier and use case, as (calls, seconds).
TIER_WINDOWS: dict[str, Callable[[str, str], tuple[tuple[int, float], ...]]] = {
    "meta": windows_of,
    "google": lambda tier, use_case: (),
}
# By which rules a platform can count conversions; the first is its default. Meta: within how many days after
# a click or a view. Google: on the day of the click, or of the conversion.
ATTRIBUTIONS: dict[str, tuple[str, ...]] = {
    "meta": tuple(ATTRIBUTION_WINDOWS),
    "google": GOOGLE_ATTRIBUTIONS,
}


def use_case_of(provider: str, *, insights: bool) -> str:
    """What a client's calls for metrics, or for all else, are metered by; nothing where not apart."""
    cases = USE_CASES[provider]
    return cases[1 if insights else 0] if cases else ""


def client_for(
    provider: str,
    config: MetaConfig | GoogleConfig,
    grant: Grant,
    ad_account: AdAccountRef,
    *,
    gate: Gate,
    session: Session,
    breaker: Breaker | None = None,
) -> Client:
    """A client of the provider for one ad account. `config` is the provider's own.

    To discover what a grant reaches, name no ad account (`AdAccountRef("")`) and ask for `accounts()`.
    """
    return CLIENTS[provider](config, grant, ad_account, gate=gate, session=session, breaker=breaker)
