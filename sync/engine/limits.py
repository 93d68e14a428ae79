"""The budgets that a connection's calls are taken from: defaults, and what people set in their place.

Of windows of the same length the more particular one holds: a setting's over what the platform
documents for its access tier, a limit that was set over these, one of this ad account over one of
each, an account's over its plan's.
"""

from collections.abc import Iterable

from django.conf import settings

from providers.budget import Limit, Window
from providers.errors import Scope
from providers.registry import TIER_WINDOWS, USE_CASES, use_case_of
from sync.engine.keys import account_key, ad_account_key, plan_key, provider_key
from sync.engine.overrides import overrides
from sync.models import Account, Connection, Plan, SyncRun
from sync.models.choices import Kind, Provider
from sync.models.limit import DAY

Windows = tuple[Window, ...]


def limits_of(connection: Connection, use_case: str = "") -> list[Limit]:
    """Every limit that a call for the connection is taken from; without an ad account, the shared ones."""
    shared = [_of_app(connection), _of_account(connection.account)]
    if not connection.external_id:
        return shared
    cases = [_of_ad_account(connection, use_case)] if use_case else []
    return [_of_ad_account(connection), *cases, *shared]


def limits_of_run(run: SyncRun) -> list[Limit]:
    """Those that the run's calls are taken from."""
    return limits_of(run.connection, use_case_of(run.provider, insights=run.kind == Kind.INSIGHTS))


def all_limits_of(connection: Connection) -> list[Limit]:
    """Those of all use cases at once, to show them or to tell them of past calls."""
    of_cases = (limits_of(connection, use_case) for use_case in ("", *USE_CASES[connection.provider]))
    return list({limit.key: limit for limits in of_cases for limit in limits}.values())


def _of_ad_account(connection: Connection, use_case: str = "") -> Limit:
    provider, external_id = connection.provider, connection.external_id
    key = ad_account_key(provider, external_id, use_case)
    common = overrides().of(ad_account_key(provider, "", use_case))
    tier = connection.access_tier
    allowed = TIER_WINDOWS[provider](tier, use_case)
    by_tier = [Window(calls, seconds, f"the tier {tier}") for calls, seconds in allowed]
    if use_case:
        windows = _merged(by_tier, common, overrides().of(key))
        return Limit(key, f"{external_id} ({use_case})", windows, Scope.USE_CASE)
    windows = _merged(by_tier, _setting("CONNECTION_WINDOWS", provider), common, overrides().of(key))
    return Limit(key, external_id, windows, Scope.AD_ACCOUNT)


def _of_app(connection: Connection) -> Limit:
    key = provider_key(connection.provider)
    windows = _merged(_setting("PROVIDER_WINDOWS", connection.provider), overrides().of(key))
    if connection.provider == Provider.GOOGLE:  # its day is counted in the ledger of operations
        windows = tuple(window for window in windows if window.seconds != DAY)
    return Limit(key, connection.get_provider_display(), windows, Scope.APP)


def _of_account(account: Account) -> Limit:
    key, plan = account_key(account.pk), account.plan
    by_plan = _merged(_of_plan(plan), overrides().of(plan_key(plan.pk))) if plan else ()
    return Limit(key, account.name, _merged(by_plan, overrides().of(key)))


def _merged(*layers: Iterable[Window]) -> Windows:
    """Of each length, the last layer's; the shortest first."""
    of_length = {window.seconds: window for layer in layers for window in layer}
    return tuple(of_length[seconds] for seconds in sorted(of_length))


def _setting(name: str, provider: str) -> Windows:
    source = f"the setting {provider.upper()}_{name}"
    return tuple(Window(calls, seconds, source) for calls, seconds in getattr(settings, name)[provider])


def _of_plan(plan: Plan) -> Windows:
    asked = ((plan.calls_per_minute, 60.0), (plan.calls_per_hour, 3600.0))
    return tuple(Window(calls, seconds, f"the plan {plan}") for calls, seconds in asked if calls)
