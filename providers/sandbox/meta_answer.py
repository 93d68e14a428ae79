"""One Graph call: which version it means, what it counts as, who may ask, and what it is answered.

The order is Meta's: a call counts at its arrival, then the token is looked at, then the limits.
"""

import re
from typing import Any

from providers.sandbox.constants import VERSION, Kind, Platform
from providers.sandbox.damage import damage
from providers.sandbox.fault_kinds import FaultKind
from providers.sandbox.faults import Fault, Moment
from providers.sandbox.grants import Grant
from providers.sandbox.ledger import Subject
from providers.sandbox.meta_activities import activities
from providers.sandbox.meta_call import (
    ACTIVITIES,
    ASYNCHRONOUS,
    INSIGHTS,
    REPORT,
    RESULT,
    Call,
    Target,
    check_access,
    find_grant,
    find_target,
)
from providers.sandbox.meta_errors import MetaError
from providers.sandbox.meta_faults import Struck, raise_faults, refused
from providers.sandbox.meta_insight_edge import insights, query_of, result, submit
from providers.sandbox.meta_insights import rows_of
from providers.sandbox.meta_nodes import ad_accounts, listing, me, node
from providers.sandbox.meta_query import parse_fields, parse_limit
from providers.sandbox.meta_tokens import debug, exchange
from providers.sandbox.meta_usage import APP, usage_headers
from providers.sandbox.state import Sandbox
from providers.sandbox.wire import Reply, json_reply

OLDEST = 22  # of the versions that still answer; below it there is no automatic upgrade
WITHOUT_WARNING = 24  # versions from here on are not near their end
ASKING = (INSIGHTS, ASYNCHRONOUS)  # for insights, in either way
_VERSION = re.compile(r"v(\d+)\.\d(?:/(.*))?")
# Calls about tokens need no user's token and count in no window.
_TOKEN_CALLS = {"debug_token": debug, "oauth/access_token": exchange}
INSIGHT_ENDPOINTS = (*ASKING, REPORT, RESULT)
_EDGES = {INSIGHTS: insights, ASYNCHRONOUS: submit, RESULT: result, ACTIVITIES: activities}


def answer(sandbox: Sandbox, call: Call) -> Reply:
    """One call, outside or inside a batch, with its usage headers and its faults."""
    account_id, endpoint, faults = "", "", []  # type: str, str, list[Fault]
    try:
        check_version(call)
        if call.path in _TOKEN_CALLS:
            return _about_tokens(sandbox, call)
        target = _target(sandbox, call)
        account_id, endpoint = target.account.id if target.account else "", target.endpoint
        grant, faults = _admit(sandbox, call, target)
        refusing = [fault for fault in faults if not (fault.is_late and endpoint == ASYNCHRONOUS)]
        raise_faults(refusing, Struck(sandbox.grants, grant, account_id, call.headers))
        reply = json_reply(_body(sandbox, call, target, grant, faults))
    except MetaError as error:
        reply = json_reply(error.body(), error.status)
    tier, is_insights = sandbox.settings.meta_tier, endpoint in INSIGHT_ENDPOINTS
    usage = usage_headers(sandbox.ledger, account_id, tier=tier, insights=is_insights)
    reply.headers = usage | call.headers
    return damage(reply, faults)


def _about_tokens(sandbox: Sandbox, call: Call) -> Reply:
    """Only a fault that names the endpoint strikes it."""
    sandbox.token_calls[Platform.META][call.path] += 1
    faults = sandbox.faults.draw(Moment(Platform.META, "", call.path, only_by_name=True))
    grant = sandbox.grants.find(Platform.META, call.params.get("fb_exchange_token", call.token))
    try:
        raise_faults(faults, Struck(sandbox.grants, grant, "", call.headers))
        reply = json_reply(_TOKEN_CALLS[call.path](sandbox, call))
    except MetaError as error:
        reply = json_reply(error.body(), error.status)
    return damage(reply, faults)


def check_version(call: Call) -> None:
    """Take the version off the path. One near its end is upgraded silently, with a header."""
    match = _VERSION.fullmatch(call.path)
    if match is None:
        return  # no version: the app's default one
    number, call.path = int(match[1]), (match[2] or "").strip("/")
    call.version = f"v{number}.0"
    if number > VERSION:
        raise MetaError(2500, f"Unknown path components: /{call.version}/{call.path}")
    if number < OLDEST:
        raise MetaError(2635)
    if number < WITHOUT_WARNING:
        warning = f"You are using an API version that will be deprecated. Upgraded to v{VERSION}.0."
        call.headers["X-Ad-Api-Version-Warning"] = warning


def _target(sandbox: Sandbox, call: Call) -> Target:
    """A path that names nothing is a call, too."""
    try:
        return find_target(sandbox, call.path, call.method)
    except MetaError:
        sandbox.ledger.arrive([APP], "unknown")
        raise


def _admit(sandbox: Sandbox, call: Call, target: Target) -> tuple[Grant, list[Fault]]:
    """Count the call; refuse a bad token, a foreign ad account, a full window."""
    account_id = target.account.id if target.account else ""
    subjects = [APP] + ([Subject(Platform.META, account_id)] if account_id else [])
    refusal = sandbox.ledger.arrive(subjects, target.endpoint)
    grant = _grant(sandbox, call, subjects)
    if target.account is not None:
        check_access(grant, target.account)
    if refusal is not None:
        raise refused(refusal)
    faults = sandbox.faults.draw(_moment(sandbox, call, target, account_id)) if sandbox.faults.rules else []
    if any(fault.kind == FaultKind.RATE_LIMIT for fault in faults):
        sandbox.ledger.take_back(subjects)
    return grant, faults


def _moment(sandbox: Sandbox, call: Call, target: Target, account_id: str) -> Moment:
    """What the faults have to know of the call."""
    paged, asks = target.kind or target.endpoint in (INSIGHTS, RESULT), target.endpoint in ASKING
    rows = parse_limit(call.params) if paged else 0
    asked = target.report.fields if target.report else call.params.get("fields", "")
    fields = max(1, len(parse_fields(asked)))
    return Moment(
        Platform.META,
        account_id,
        target.endpoint,
        continues=bool(call.params.get("after")),
        rows=rows,
        cells=rows * fields,
        fields=fields,
        answer=len(rows_of(query_of(sandbox, call, target))) if asks else 0,
    )


def _grant(sandbox: Sandbox, call: Call, subjects: list[Subject]) -> Grant:
    try:
        return find_grant(sandbox, call)
    except MetaError:
        sandbox.ledger.without_token(subjects)
        raise


def _body(sandbox: Sandbox, call: Call, target: Target, grant: Grant, faults: list[Fault]) -> dict[str, Any]:
    if call.method != "GET" and target.endpoint != ASYNCHRONOUS:
        raise MetaError(3, "(#3) Application does not have the capability to make this API call.")
    if ask := _EDGES.get(target.endpoint):
        return ask(sandbox, call, target, faults)
    if target.endpoint == "me":
        return me(grant, call)
    if target.endpoint == "me/adaccounts":
        return ad_accounts(sandbox, grant, call)
    if target.report is not None:
        return sandbox.reports.told(target.report, call.params.get("fields", ""))
    if isinstance(target.kind, Kind):
        return listing(sandbox, call, target, target.kind, faults)
    return node(call, target)
