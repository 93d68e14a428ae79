"""The budgets that a connection's calls are taken from.

The ad account's is named by the platform's id, not by ours: two tenants may connect the same one,
and the platform counts it once.
"""

from uuid import UUID

from django.conf import settings

from providers.budget import Limit, Window
from sync.models import Account, Connection

AD_ACCOUNT, APP = 0, 1  # where these stand in `limits_of`, for parking


def limits_of(connection: Connection) -> list[Limit]:
    """Every limit that a call for the connection is taken from; the ad account's own is the first."""
    provider = connection.provider
    return [
        Limit(
            ad_account_key(provider, connection.external_id),
            connection.external_id,
            _windows(settings.CONNECTION_WINDOWS[provider]),
        ),
        Limit(
            provider_key(provider),
            connection.get_provider_display(),
            _windows(settings.PROVIDER_WINDOWS[provider]),
        ),
        Limit(account_key(connection.account_id), connection.account.name, _plan_windows(connection.account)),
    ]


def ad_account_key(provider: str, external_id: str) -> str:
    """The budget key of an ad account."""
    return f"connection:{provider}:{external_id}"


def provider_key(provider: str) -> str:
    """The budget key of the app or project."""
    return f"provider:{provider}"


def account_key(account_id: UUID) -> str:
    """The budget key of a tenant."""
    return f"account:{account_id}"


def _windows(pairs: tuple[tuple[int, float], ...]) -> tuple[Window, ...]:
    return tuple(Window(calls, seconds) for calls, seconds in pairs)


def _plan_windows(account: Account) -> tuple[Window, ...]:
    if account.plan is None:
        return ()
    asked = ((account.plan.calls_per_minute, 60.0), (account.plan.calls_per_hour, 3600.0))
    return tuple(Window(calls, seconds) for calls, seconds in asked if calls)
