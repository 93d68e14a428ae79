"""Reading Meta: the user, its ad accounts, one object, and the paged listings."""

from collections.abc import Sequence
from typing import Any

from providers.sandbox.catalog import Ad, AdGroup, Campaign, Entity
from providers.sandbox.constants import Kind, Platform
from providers.sandbox.faults import Fault
from providers.sandbox.grants import Grant
from providers.sandbox.meta_call import Call, Target
from providers.sandbox.meta_errors import bad_parameter, too_much_data
from providers.sandbox.meta_fields import NODE_OF, plan_for, write
from providers.sandbox.meta_paging import Pager
from providers.sandbox.meta_query import parse_fields, parse_limit, parse_selection
from providers.sandbox.state import Sandbox

_NODE_OF_TYPE = {Campaign: "Campaign", AdGroup: "AdSet", Ad: "Ad"}


def me(grant: Grant, call: Call) -> dict[str, Any]:
    """`GET /me`"""
    user = {"id": grant.user_id, "name": grant.user_name}
    wanted = parse_fields(call.params.get("fields", "id,name"))
    if unknown := set(wanted) - set(user):
        raise bad_parameter(f"Tried accessing nonexisting field ({min(unknown)}) on node type (User)")
    return {"id": grant.user_id} | {name: user[name] for name in wanted}


def node(call: Call, target: Target) -> dict[str, Any]:
    """`GET /{id}`: deleted and archived ones, too."""
    fields = _fields(call)
    if target.entity is None:
        return write(target.account, plan_for("AdAccount", fields))
    return write(target.entity, plan_for(_NODE_OF_TYPE[type(target.entity)], fields))


def ad_accounts(sandbox: Sandbox, grant: Grant, call: Call) -> dict[str, Any]:
    """`GET /me/adaccounts`: those that the grant is for, closed ones, too."""
    accounts = [
        account
        for account in sandbox.world.accounts(Platform.META)
        if grant.accounts is None or account.id in grant.accounts
    ]
    steps = plan_for("AdAccount", _fields(call))
    numbered = list(enumerate(accounts))
    return Pager(sandbox, call).page(numbered, lambda pair: pair[0], lambda pair: write(pair[1], steps))


def listing(
    sandbox: Sandbox, call: Call, target: Target, kind: Kind, faults: Sequence[Fault] = ()
) -> dict[str, Any]:
    """`GET /{account or parent}/{edge}`: one page in ascending order of ids, unless pages are to shift."""
    if parse_limit(call.params) > sandbox.settings.meta_page_rows:
        raise too_much_data()
    steps = plan_for(NODE_OF[kind], _fields(call))
    chosen = _choose(call, target, kind)
    pager = Pager(sandbox, call, faults)
    if sandbox.settings.meta_shifting_pages:
        numbered = list(enumerate(sorted(chosen, key=lambda row: (-row.updated, row.id))))
        return pager.page(numbered, lambda pair: pair[0], lambda pair: write(pair[1], steps))
    return pager.page(chosen, lambda row: row.id, lambda row: write(row, steps))


def _choose(call: Call, target: Target, kind: Kind) -> list[Entity]:
    """All rows of the listing, computed once for all its pages."""
    assert target.account is not None  # noqa: S101 - find_target gives every edge its account
    catalog = target.account.catalog
    names = ("effective_status", "filtering", "updated_since")
    given = {name: call.params[name] for name in names if name in call.params}
    parent = target.entity

    def select() -> list[Entity]:
        tests = parse_selection(kind, given)
        if parent is not None:
            tests.append(lambda row: parent in (row.campaign, getattr(row, "group", None)))  # type: ignore[union-attr]  # of an edge with parents
        rows = catalog.of(kind)
        for test in tests:
            rows = [row for row in rows if test(row)]
        return rows

    return catalog.remembered((kind, parent and parent.id, tuple(given.items())), select)


def _fields(call: Call) -> str:
    return call.params.get("fields", "")
