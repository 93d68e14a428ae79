"""Reading Meta: the user, its ad accounts, one object, and the paged listings."""

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from providers.sandbox.catalog import Ad, AdGroup, Campaign, Entity
from providers.sandbox.constants import Kind, Platform
from providers.sandbox.fault_kinds import FaultKind
from providers.sandbox.faults import Fault
from providers.sandbox.grants import Grant
from providers.sandbox.meta_call import Call, Target
from providers.sandbox.meta_errors import MetaError, bad_parameter, too_much_data
from providers.sandbox.meta_fields import NODE_OF, plan_for, write
from providers.sandbox.meta_query import parse_fields, parse_limit, parse_selection, wants_total
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
    limit, after = parse_limit(call.params), _after(call)
    first = next((n for n, account in enumerate(accounts) if int(account.id) == after), -1) + 1
    rows = accounts[first : first + limit]
    ends = (int(rows[0].id), int(rows[-1].id)) if rows else None
    more = first + limit < len(accounts)
    return _page(
        call, [write(row, steps) for row in rows], ends, more=more, earlier=first > 0, total=len(accounts)
    )


def listing(
    sandbox: Sandbox, call: Call, target: Target, kind: Kind, faults: Sequence[Fault] = ()
) -> dict[str, Any]:
    """`GET /{account or parent}/{edge}`: one page in ascending order of ids."""
    limit = parse_limit(call.params)
    if limit > sandbox.settings.meta_page_rows:
        raise too_much_data()
    steps = plan_for(NODE_OF[kind], _fields(call))
    chosen = _choose(call, target, kind)
    first = _first(call, chosen)
    limit = min(limit, len(chosen) - first)
    last = first + limit
    for fault in faults:
        if fault.kind == FaultKind.REPEAT_ROWS:
            first = max(0, first - fault.number("rows", 1))
        if fault.kind == FaultKind.REPEAT_PAGE:
            first, last = max(0, first - parse_limit(call.params)), first
    rows = chosen[first:last]
    for fault in faults:
        if fault.kind == FaultKind.HIDE_ROWS:
            rows = rows[: -fault.number("rows", 1)]
    ends = (chosen[first].id, chosen[last - 1].id) if last > first else None
    written = [write(row, steps) for row in rows]
    return _page(call, written, ends, more=last < len(chosen), earlier=first > 0, total=len(chosen))


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
            tests.append(lambda row: parent in (row.campaign, getattr(row, "group", None)))  # type: ignore[union-attr]
        rows = catalog.of(kind)
        for test in tests:
            rows = [row for row in rows if test(row)]
        return rows

    return catalog.remembered((kind, parent and parent.id, tuple(given.items())), select)


def _fields(call: Call) -> str:
    return call.params.get("fields", "")


def _first(call: Call, chosen: list[Entity]) -> int:
    """Where the page begins: after the cursor's id, whether or not that row is still there."""
    if "before" in call.params:
        end = bisect_left(chosen, _decode(call.params["before"]), key=lambda row: row.id)
        return max(0, end - parse_limit(call.params))
    return bisect_right(chosen, _after(call), key=lambda row: row.id)


def _after(call: Call) -> int:
    """The id in the cursor; -1 comes before all."""
    return _decode(call.params["after"]) if call.params.get("after") else -1


def encode_cursor(last_id: int) -> str:
    return base64.urlsafe_b64encode(f"QVFIUi{last_id}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return int(text.removeprefix("QVFIUi"))
    except (binascii.Error, ValueError):
        raise MetaError(2642) from None


def _page(
    call: Call,
    data: list[dict[str, Any]],
    ends: tuple[int, int] | None,
    *,
    more: bool,
    earlier: bool,
    total: int,
) -> dict[str, Any]:
    """The envelope. On the last page `cursors.after` stays and `next` is absent."""
    page: dict[str, Any] = {"data": data}
    if ends:
        before, after = encode_cursor(ends[0]), encode_cursor(ends[1])
        page["paging"] = {"cursors": {"before": before, "after": after}}
        if more:
            page["paging"]["next"] = _url(call, after=after)
        if earlier:
            page["paging"]["previous"] = _url(call, before=before)
    if wants_total(call.params):
        page["summary"] = {"total_count": total}
    return page


def _url(call: Call, **cursor: str) -> str:
    """As Meta does, with the access token in it."""
    rest = {
        name: value for name, value in call.params.items() if name not in ("after", "before", "access_token")
    }
    query = urlencode({"access_token": call.token} | rest | cursor)
    return f"{call.base}/{call.version}/{call.path}?{query}"
