"""Which day it is for an ad account."""

from datetime import date, datetime

from providers.sandbox.state import Sandbox
from providers.sandbox.world import Account


def today_of(sandbox: Sandbox, account: Account) -> date:
    """In the ad account's time zone, or the day that the settings say."""
    if sandbox.settings.today:
        return date.fromisoformat(sandbox.settings.today)
    return datetime.fromtimestamp(sandbox.clock(), account.zone).date()
