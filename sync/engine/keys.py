"""What the budgets are named by in their store.

An ad account's by the platform's id, not by ours: two tenants may connect the same one, and the
platform counts it once.
"""

from uuid import UUID


def ad_account_key(provider: str, external_id: str, use_case: str = "") -> str:
    """The budget key of an ad account, or of one of its use cases."""
    return ":".join(filter(None, ("connection", provider, external_id, use_case)))


def provider_key(provider: str) -> str:
    """The budget key of the app or project."""
    return f"provider:{provider}"


def account_key(account_id: UUID) -> str:
    """The budget key of a tenant."""
    return f"account:{account_id}"


def plan_key(plan_id: int) -> str:
    """Where the limits of a plan are looked up; nothing is counted for a plan as a whole."""
    return f"plan:{plan_id}"
