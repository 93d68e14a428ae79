"""What tests and the CLI may do to a sandbox while it runs. Each action takes JSON and gives JSON.

A wrong request raises ValueError (or KeyError for a missing name), which the route answers with 400.
"""

import random
from collections.abc import Awaitable, Callable
from typing import Any

from providers.sandbox import edits, referee
from providers.sandbox.accounts import MANAGER, Opening, counts, open_account
from providers.sandbox.constants import Kind, Platform
from providers.sandbox.generate import Sizes
from providers.sandbox.grants import Grant
from providers.sandbox.journal import EDITOR
from providers.sandbox.latency import Profile
from providers.sandbox.ledger import Limit, Subject
from providers.sandbox.state import Sandbox
from providers.sandbox.truth import describe, summary, truth
from providers.sandbox.world import Account

Body = dict[str, Any]
Action = Callable[[Sandbox, Body], Body | Awaitable[Body]]

MANY = 1_000_000  # steps of history: more than any recording has


def account_of(sandbox: Sandbox, body: Body) -> Account:
    account = sandbox.world.account(Platform(body["platform"]), str(body["account"]))
    if account is None:
        raise ValueError(f"no {body['platform']} account {body['account']}")
    return account


def add_accounts(sandbox: Sandbox, body: Body) -> Body:
    """`count` accounts of `campaigns`, `ad_groups` and `ads`; the other values as `Opening` has them."""
    sizes = Sizes(body.get("campaigns", 3), body.get("ad_groups", 9), body.get("ads", 27))
    opening = Opening(
        platform=Platform(body["platform"]),
        sizes=sizes,
        account_id=str(body.get("id", "")).removeprefix("act_"),
        name=body.get("name", ""),
        currency=body.get("currency", ""),
        time_zone=body.get("time_zone", ""),
        status=str(body.get("status", "")),
        seed=body.get("seed"),
        direct=bool(body.get("direct", False)),
        manager=bool(body.get("manager", False)),
        hidden=bool(body.get("hidden", False)),
        below=tuple(map(str, body.get("below", [MANAGER]))),
    )
    opened = [open_account(sandbox, opening) for _ in range(body.get("count", 1))]
    return {"accounts": [summary(account) for account in opened], "id": opened[-1].id}


def change_account(sandbox: Sandbox, body: Body) -> Body:
    """`name` or `status` of an ad account: closed, suspended, open again."""
    account = account_of(sandbox, body)
    account.name = body.get("name", account.name)
    account.status = str(body.get("status", account.status))
    return summary(account)


def edit(sandbox: Sandbox, body: Body) -> Body:
    """Set fields of `id`: name, status, daily_budget, lifetime_budget, bid, review, ends, objective."""
    changes = {name: value for name, value in body.items() if name not in ("platform", "account", "id", "by")}
    entity_id = edits.inner_id(str(body["id"]))
    return describe(edits.change(account_of(sandbox, body), entity_id, changes, sandbox.clock(), _by(body)))


def _by(body: Body) -> str:
    """Who does it, an e-mail address: `by`."""
    return str(body.get("by", EDITOR))


def edit_at_random(sandbox: Sandbox, body: Body) -> Body:
    """`count` edits of different entities; tells which."""
    dice = random.Random(body["seed"]) if "seed" in body else sandbox.dice  # noqa: S311 - wanted: repeatable
    edited = edits.edit_at_random(account_of(sandbox, body), body["count"], dice, sandbox.clock())
    told: dict[str, list[str]] = {kind: [] for kind in Kind}
    for entity in edited:
        told[edits.kind_of(entity)].append(edits.external_id(entity))
    return {"edited": told}


def remove(sandbox: Sandbox, body: Body) -> Body:
    """Delete `id` as a user does; with `vanish` it is nowhere to be read any more, nor what is below it."""
    account, entity_id = account_of(sandbox, body), edits.inner_id(str(body["id"]))
    if not body.get("vanish"):
        return describe(edits.remove(account, entity_id, sandbox.clock(), _by(body)))
    gone = sandbox.vanished.vanish(account, entity_id)
    return {"vanished": [edits.external_id(entity) for entity in gone]}


def bring_back(sandbox: Sandbox, body: Body) -> Body:
    """Undo the removal of `id`."""
    entity_id = edits.inner_id(str(body["id"]))
    return describe(sandbox.vanished.bring_back(account_of(sandbox, body), entity_id, sandbox.clock()))


def create(sandbox: Sandbox, body: Body) -> Body:
    """A new entity of `kind`, below `parent`, with `name`."""
    parent = edits.inner_id(str(body["parent"])) if "parent" in body else None
    made = edits.create(
        account_of(sandbox, body),
        Kind(body["kind"]),
        sandbox.clock(),
        parent=parent,
        name=body.get("name", ""),
        by=_by(body),
    )
    return {"id": edits.external_id(made)} | describe(made)


def step_history(sandbox: Sandbox, body: Body) -> Body:
    """Apply the next `steps` recorded edits (default 1, "all")."""
    account = account_of(sandbox, body)
    account.catalog  # noqa: B018 - reading it makes the history
    steps = MANY if body.get("steps") == "all" else body.get("steps", 1)
    due, account.history = account.history[:steps], account.history[steps:]
    for apply in due:
        apply(sandbox.clock())
    return {"applied": len(due), "left": len(account.history)}


def set_limits(sandbox: Sandbox, body: Body) -> Body:
    """`account`: for every ad account, or with `only` for that one; `project`: for the app or project.
    Lists of [calls, seconds] or [calls, seconds, block]; an empty list means no limit."""
    platform, ledger = Platform(body["platform"]), sandbox.ledger
    if "project" in body:
        ledger.limits[Subject(platform, "")] = _limits(body["project"])
    if "account" in body and "only" in body:
        ledger.limits[Subject(platform, str(body["only"]).removeprefix("act_"))] = _limits(body["account"])
    elif "account" in body:
        ledger.account_limits[platform] = _limits(body["account"])
    project = ledger.limits_of(Subject(platform, ""))
    return {"account": list(map(list, ledger.account_limits[platform])), "project": list(map(list, project))}


def _limits(pairs: list[list[float]]) -> list[Limit]:
    return [Limit(int(calls), float(seconds), *map(float, block)) for calls, seconds, *block in pairs]


def set_settings(sandbox: Sandbox, body: Body) -> Body:
    """`latency` {platform: seconds or a profile}, `latency_seed`, `require_appsecret_proof`,
    `access_lifetime` (Google, seconds), and all of `providers.sandbox.state.Settings`."""
    settings = sandbox.settings
    for name, value in body.items():
        if name == "latency":
            for platform, profile in {Platform(p): Profile.parse(told) for p, told in value.items()}.items():
                sandbox.latency.set(platform, profile)
        elif name == "latency_seed":
            sandbox.latency.seed = int(value)
        elif name == "access_lifetime":
            sandbox.grants.access_lifetime = float(value)
        elif hasattr(settings, name):
            setattr(settings, name, type(getattr(settings, name))(value))
        else:
            raise ValueError(f"no setting {name}")
    return {"latency": {platform: str(profile) for platform, profile in sandbox.latency.profiles.items()}}


def mint_token(sandbox: Sandbox, body: Body) -> Body:
    """A new grant for `accounts` (default: all), good for `lifetime` seconds (default: ever)."""
    grant = sandbox.grants.mint(
        Platform(body["platform"]),
        token=body.get("token", ""),
        accounts=body.get("accounts"),
        lifetime=body.get("lifetime"),
    )
    return {"token": grant.token, "user_id": grant.user_id}


def mint_tokens(sandbox: Sandbox, body: Body) -> Body:
    """A grant of its own for each of `accounts`, or for all but the managers, that opens nothing else."""
    platform = Platform(body["platform"])
    grants = {
        account.id: sandbox.grants.mint(platform, accounts=[account.id], lifetime=body.get("lifetime"))
        for account in _accounts(sandbox, platform, body)
    }
    return {"tokens": {account_id: grant.token for account_id, grant in grants.items()}}


def _grant(sandbox: Sandbox, body: Body) -> Grant:
    grant = sandbox.grants.find(Platform(body["platform"]), body["token"])
    if grant is None:
        raise ValueError("no such token")
    return grant


def revoke_token(sandbox: Sandbox, body: Body) -> Body:
    """End a grant for good; Meta: with the 190's `subcode`."""
    sandbox.grants.revoke(_grant(sandbox, body), body.get("subcode", 0))
    return {"revoked": True}


def expire_token(sandbox: Sandbox, body: Body) -> Body:
    """Meta: the token; Google: the access tokens that were bought with it."""
    sandbox.grants.expire(_grant(sandbox, body))
    return {"expired": True}


def add_fault(sandbox: Sandbox, body: Body) -> Body:
    """One rule, or all of `rules` or none; the README has the kinds and their details."""
    sandbox.faults.add(body.get("rules", [body]))
    return {"faults": len(sandbox.faults.rules)}


def clear_faults(sandbox: Sandbox, _: Body) -> Body:
    sandbox.faults.clear()
    return {"faults": 0}


def reset(sandbox: Sandbox, _: Body) -> Body:
    """Forget calls, faults and latency; accounts, tokens and limits stay."""
    referee.forget(sandbox, {})
    sandbox.faults.clear()
    sandbox.latency.reset()
    return {"reset": True}


def forget_reports(sandbox: Sandbox, _: Body) -> Body:
    """All of Meta's report runs are gone, as after thirty days."""
    sandbox.reports.forget()
    return {"forgotten": True}


def list_accounts(sandbox: Sandbox, _: Body) -> Body:
    return {"accounts": [summary(a) for platform in Platform for a in sandbox.world.accounts(platform)]}


def tell_truth(sandbox: Sandbox, body: Body) -> Body:
    """Everything in `account`, or with `counts` only how much."""
    account = account_of(sandbox, body)
    return {"counts": counts(account)} if body.get("counts") else truth(account)


def tell_truths(sandbox: Sandbox, body: Body) -> Body:
    """The truth of many ad accounts of a platform at once: of `accounts`, or of all but the managers."""
    chosen = _accounts(sandbox, Platform(body["platform"]), body)
    return {"truths": {account.id: truth(account) for account in chosen}}


def _accounts(sandbox: Sandbox, platform: Platform, body: Body) -> list[Account]:
    if "accounts" in body:
        return [account_of(sandbox, {"platform": platform, "account": one}) for one in body["accounts"]]
    return [account for account in sandbox.world.accounts(platform) if not account.is_manager]


def list_faults(sandbox: Sandbox, _: Body) -> Body:
    return {"faults": sandbox.faults.told()}
