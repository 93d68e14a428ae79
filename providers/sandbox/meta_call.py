"""One Graph call as it came, and what its path is about."""

import hashlib
import hmac
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from providers.sandbox.catalog import Ad, AdGroup, Campaign, Entity
from providers.sandbox.constants import META_APP_SECRET, Kind, Platform
from providers.sandbox.grants import Grant, State
from providers.sandbox.meta_errors import (
    MetaError,
    bad_parameter,
    invalid_session,
    not_visible,
    unparsable_token,
)
from providers.sandbox.meta_reports import Report
from providers.sandbox.state import Sandbox
from providers.sandbox.world import Account

EDGES = {"campaigns": Kind.CAMPAIGNS, "adsets": Kind.AD_GROUPS, "ads": Kind.ADS}
INSIGHTS, ASYNCHRONOUS, REPORT, RESULT = "insights", "insights_async", "report_run", "report_run_insights"
ACTIVITIES = "activities"
_BELOW = {Campaign: ("adsets", "ads", INSIGHTS), AdGroup: ("ads", INSIGHTS), Ad: (INSIGHTS,)}
_VERSION = re.compile(r"v\d+\.\d")
_NODE = re.compile(r"(act_)?\d+")


@dataclass
class Call:
    """`path` has no version and no slash at its ends; `base` is where the API begins."""

    method: str
    path: str
    params: dict[str, str]
    base: str
    token: str
    version: str = "v26.0"
    headers: dict[str, str] = field(default_factory=dict)  # of the answer

    @property
    def node(self) -> str:
        """What the path begins with, after the version: an ad account, an object, or `me`."""
        first, _, rest = self.path.partition("/")
        return rest.partition("/")[0] if _VERSION.fullmatch(first) else first


class Target(NamedTuple):
    """What a path names."""

    endpoint: str
    account: Account | None = None
    entity: Entity | None = None
    kind: Kind | None = None  # of the rows of an edge
    report: Report | None = None


def find_target(sandbox: Sandbox, path: str, method: str = "GET") -> Target:
    """Read a path; one that names nothing raises what Meta says of it."""
    target = _named(sandbox, path)
    if target.endpoint == INSIGHTS and method == "POST":
        return target._replace(endpoint=ASYNCHRONOUS)
    return target


def _named(sandbox: Sandbox, path: str) -> Target:
    if path in ("me", "me/adaccounts", "debug_token", "oauth/access_token"):
        return Target(path)
    node, _, edge = path.partition("/")
    if not _NODE.fullmatch(node) or (edge and edge not in (*EDGES, INSIGHTS, ACTIVITIES)):
        raise MetaError(2500, f"Unknown path components: /{path}")
    if node.startswith("act_"):
        account = sandbox.world.account(Platform.META, node)
        if account is None:
            raise not_visible(node)
        return Target(edge or "account", account, kind=EDGES.get(edge))
    report = sandbox.reports.find(node)
    if report is not None and edge in ("", INSIGHTS):
        return Target(RESULT if edge else REPORT, report.query.account, report=report)
    entity = sandbox.world.entity(Platform.META, int(node))
    if entity is None:
        raise not_visible(node)
    if edge and edge not in _BELOW[type(entity)]:
        raise bad_parameter(f"Tried accessing nonexisting field ({edge})")
    return Target(edge or "object", entity.account, entity, EDGES.get(edge))


def find_grant(sandbox: Sandbox, call: Call) -> Grant:
    """Whose token this is; raises what Meta says of a bad one."""
    if not call.token:
        raise MetaError(104, "An access token is required to request this resource.")
    _check_proof(sandbox, call)
    grant = sandbox.grants.find(Platform.META, call.token)
    if grant is None:
        raise unparsable_token()
    state = sandbox.grants.state(grant)
    if state != State.VALID:
        raise invalid_session(grant.subcode or (463 if state == State.EXPIRED else 460))
    return grant


def _check_proof(sandbox: Sandbox, call: Call) -> None:
    """A wrong proof is refused always, a missing one only where the app demands it."""
    proof = call.params.get("appsecret_proof")
    if proof is None and not sandbox.settings.require_appsecret_proof:
        return
    if proof is None:
        raise MetaError(
            100, "API calls from the server require an appsecret_proof argument", kind="GraphMethodException"
        )
    if not hmac.compare_digest(proof, appsecret_proof(call.token)):
        raise MetaError(
            100, "Invalid appsecret_proof provided in the API argument", kind="GraphMethodException"
        )


def appsecret_proof(token: str) -> str:
    return hmac.new(META_APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()


def check_access(grant: Grant, account: Account) -> None:
    """The ad account must be among those that the grant is for."""
    if grant.accounts is not None and account.id not in grant.accounts:
        raise MetaError(200, status=403)
