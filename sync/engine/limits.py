"""The budgets that a connection's calls are taken from.

The ad account's is named by the platform's id, not by ours: two tenants may connect the same one,
and the platform counts it once.
"""

from uuid import UUID

from django.conf import settings

from providers.budget import Limit, Window
from providers.errors import Scope
from providers.registry import USE_CASES
from sync.models import Account, Connection


def limits_of(connection: Connection, use_case: str = "") -> list[Limit]:
    """Every limit that a call for the connection is taken from; without an ad account, the app's only."""
    provider = connection.provider
    if not connection.external_id:
        return _shared(connection)
    own = [
        Limit(
            ad_account_key(provider, connection.external_id),
            connection.external_id,
            _windows(settings.CONNECTION_WINDOWS[provider]),
            Scope.AD_ACCOUNT,
        )
    ]
    if use_case:
        key, label = ad_account_key(provider, connection.external_id, use_case), connection.external_id
        own.append(Limit(key, f"{label} ({use_case})", (), Scope.USE_CASE))
    return own + _shared(connection)


def all_limits_of(connection: Connection) -> list[Limit]:
    """Those of all use cases at once, to show them or to tell them of past calls."""
    of_cases = (limits_of(connection, use_case) for use_case in ("", *USE_CASES[connection.provider]))
    return list({limit.key: limit for limits in of_cases for limit in limits}.values())


def ad_account_key(provider: str, external_id: str, use_case: str = "") -> str:
    """The budget key of an ad account, or of one of its use cases."""
    return ":".join(filter(None, ("connection", provider, external_id, use_case)))


def provider_key(provider: str) -> str:
    """The budget key of the app or project."""
    return f"provider:{provider}"


def account_key(account_id: UUID) -> str:
    """The budget key of a tenant."""
    return f"account:{account_id}"


def _shared(connection: Connection) -> list[Limit]:
    """What an ad account shares: its app or project, and its tenant's."""
    provider = connection.provider
    return [
        Limit(
            provider_key(provider),
            connection.get_provider_display(),
            _windows(settings.PROVIDER_WINDOWS[provider]),
            Scope.APP,
        ),
        Limit(account_key(connection.account_id), connection.account.name, _plan_windows(connection.account)),
    ]


def _windows(pairs: tuple[tuple[int, float], ...]) -> tuple[Window, ...]:
    return tuple(Window(calls, seconds) for calls, seconds in pairs)


def _plan_windows(account: Account) -> tuple[Window, ...]:
    if account.plan is None:
        return ()
    asked = ((account.plan.calls_per_minute, 60.0), (account.plan.calls_per_hour, 3600.0))
    return tuple(Window(calls, seconds) for calls, seconds in asked if calls)
