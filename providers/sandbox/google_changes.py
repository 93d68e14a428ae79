"""`change_status` and `change_event`: the rows that a journal gives, and the queries that are refused."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from providers.sandbox.catalog import Ad, AdGroup, Campaign, Entity
from providers.sandbox.gaql import Condition, Query
from providers.sandbox.google_errors import GoogleError
from providers.sandbox.journal import Entry, Operation
from providers.sandbox.state import Sandbox
from providers.sandbox.world import Account

MOST = 10_000  # rows of one answer
BUDGET_FIELDS = frozenset({"daily_budget", "lifetime_budget"})
UNSEEN = frozenset({"review"})  # what Google itself decides is no change
TYPES = {Campaign: "CAMPAIGN", AdGroup: "AD_GROUP", Ad: "AD_GROUP_AD"}
WIRE_NAMES = {
    "bid": "cpcBidMicros",
    "daily_budget": "amountMicros",
    "ends": "endDateTime",
    "lifetime_budget": "totalAmountMicros",
    "objective": "advertisingChannelType",
    "urls": "ad.finalUrls",
}
STATUSES = {Operation.CREATE: "ADDED", Operation.UPDATE: "CHANGED", Operation.REMOVE: "REMOVED"}


class Rule(NamedTuple):
    """What a resource asks of a query."""

    family: str
    time: str  # the field that must have a finite range
    days: int  # how long it is kept


RULES = {
    "change_status": Rule("changeStatus", "change_status.last_change_date_time", 90),
    "change_event": Rule("changeEvent", "change_event.change_date_time", 30),
}


class Change(NamedTuple):
    """One resource's latest change."""

    entity: Entity
    type: str
    at: float
    status: str
    tells_campaign: bool  # a budget that several campaigns may share does not


def statuses(sandbox: Sandbox, account: Account) -> list[Change]:
    """The latest change of each resource, as far as it can be seen yet."""
    latest: dict[tuple[int, str], Change] = {}
    untold = sandbox.settings.google_untold_budgets
    for entry in seen(sandbox, account):
        for kind in _resources(entry):
            tells = not (untold and kind == "CAMPAIGN_BUDGET")
            change = Change(entry.entity, kind, entry.at, STATUSES[entry.operation], tells)
            latest[entry.entity.id, kind] = change
    return sorted(latest.values(), key=lambda change: change.at)


class Event(NamedTuple):
    """One change: of a campaign and of its budget apart."""

    entry: Entry
    type: str
    number: int  # within its edit
    fields: tuple[str, ...]  # as the wire names them
    tells_campaign: bool


def events(sandbox: Sandbox, account: Account) -> list[Event]:
    """Every change of what the journal holds, the oldest first."""
    untold = sandbox.settings.google_untold_budgets
    return [
        Event(entry, kind, number, _wire_fields(entry, kind), not (untold and kind == "CAMPAIGN_BUDGET"))
        for entry in seen(sandbox, account)
        for number, kind in enumerate(_resources(entry))
    ]


def _wire_fields(entry: Entry, kind: str) -> tuple[str, ...]:
    of_budget = kind == "CAMPAIGN_BUDGET"
    names = sorted(name for name in entry.fields if (name in BUDGET_FIELDS) == of_budget)
    return tuple(WIRE_NAMES.get(name, name) for name in names if name not in UNSEEN)


def seen(sandbox: Sandbox, account: Account) -> Iterable[Entry]:
    """The journal, but for what happened a moment ago."""
    until = sandbox.clock() - sandbox.settings.google_change_delay
    return (entry for entry in account.journal if entry.at <= until)


def _resources(entry: Entry) -> list[str]:
    """A campaign's budget is a resource of its own."""
    names = entry.fields.keys() - UNSEEN
    found = []
    if names - BUDGET_FIELDS or entry.operation == Operation.CREATE:
        found.append(TYPES[type(entry.entity)])
    if names & BUDGET_FIELDS and isinstance(entry.entity, Campaign):
        found.append("CAMPAIGN_BUDGET")
    return found


def local(account: Account, at: float) -> str:
    """In the account's time zone, to the microsecond."""
    return f"{datetime.fromtimestamp(at, account.zone):%Y-%m-%d %H:%M:%S.%f}"


def check(query: Query, account: Account, now: float) -> None:
    """A finite range within what is kept, and a limit."""
    rule = RULES[query.resource]

    def refuse(name: str, message: str) -> GoogleError:
        return GoogleError(400, rule.family, name, message)

    if query.limit is None:
        raise refuse("LIMIT_NOT_SPECIFIED", "A limit must be specified.")
    if query.limit > MOST:
        raise refuse("INVALID_LIMIT_CLAUSE", "The limit must be at most 10000.")
    low, high = _range(query.conditions, rule.time)
    if not low or not high:
        raise refuse("CHANGE_DATE_RANGE_INFINITE", f"A finite range of {rule.time} is required.")
    if low > high:
        raise refuse("CHANGE_DATE_RANGE_NEGATIVE", "The range ends before it begins.")
    oldest = datetime.fromtimestamp(now, UTC).astimezone(account.zone) - timedelta(days=rule.days)
    if low < f"{oldest:%Y-%m-%d %H:%M:%S}":
        raise refuse("START_DATE_TOO_OLD", f"The range begins more than {rule.days} days ago.")


def _range(conditions: Iterable[Condition], field: str) -> tuple[str, str]:
    """The two ends that the conditions set, empty where one sets none."""
    low = high = ""
    for condition in conditions:
        match condition:
            case (name, "BETWEEN", (str(begin), str(end))) if name == field:
                low, high = begin, end
            case (name, ">" | ">=", str(begin)) if name == field:
                low = begin
            case (name, "<" | "<=", str(end)) if name == field:
                high = end
    return low, high
