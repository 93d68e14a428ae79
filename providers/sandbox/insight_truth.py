"""What an account's ads truly delivered: what a faithful copy of its insights must equal."""

from datetime import date
from typing import Any

from providers.sandbox import google_truth
from providers.sandbox.constants import Platform
from providers.sandbox.control import Body, account_of
from providers.sandbox.delivery import WINDOWS, Actions, Delivery, deliveries, total
from providers.sandbox.state import Sandbox
from providers.sandbox.today import today_of

LEVELS = ("account", "campaign", "ad_group", "ad")


def tell(sandbox: Sandbox, body: Body) -> Body:
    """One row per entity of `level` and day from `since` to `until`, removed ones included."""
    account, level = account_of(sandbox, body), LEVELS.index(body["level"])
    first, last = (date.fromisoformat(body[name]).toordinal() for name in ("since", "until"))
    if account.platform == Platform.GOOGLE:
        days = range(first, last + 1)
        return {"rows": google_truth.insights(account, body["level"], days, today_of(sandbox, account))}
    parts: dict[tuple[int, tuple[int, ...]], list[Delivery]] = {}
    found = deliveries(
        account.catalog.ads, range(first, last + 1), today_of(sandbox, account), account.source
    )
    for ad, day, delivery in found:
        path = (ad.campaign.id, ad.group.id, ad.id)[:level]
        parts.setdefault((day, path), []).append(delivery)
    return {"rows": [_row(day, path, total(deliveries)) for (day, path), deliveries in parts.items()]}


def _row(day: int, path: tuple[int, ...], delivery: Delivery) -> dict[str, Any]:
    """Money in minor units."""
    ids = dict(zip(LEVELS[1:], map(str, path), strict=False))
    told = delivery._asdict() | {
        "actions": _told(delivery.actions),
        "values": _told(delivery.values),
    }
    return {"day": date.fromordinal(day).isoformat(), "ids": ids} | told


def _told(actions: Actions) -> dict[str, dict[str, int]]:
    return {name: dict(zip(WINDOWS, amounts, strict=True)) for name, amounts in actions.items()}
