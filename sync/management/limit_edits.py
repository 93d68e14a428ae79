"""`limits set` and `limits clear`: what they name, and what they do to it."""

import argparse
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandParser

from providers.budget import Window
from sync.engine.set_limits import clear_limits, set_limits
from sync.management.command import WrongUse, seconds
from sync.management.lookup import find_account, find_connection
from sync.management.operator import add_reason, operator
from sync.models import CallLimit, Connection, Plan
from sync.models.choices import LimitScope, Provider
from sync.models.limit import CallLimitQuerySet

SUBJECT = (
    "say what it is about: --connection, --account, --plan, --provider, or --provider with --each for each "
    "of its ad accounts"
)
OPTIONS = {"provider": "--provider", "plan": "--plan", "account": "--account", "use_case": "--use-case"}


def add_edits(parser: CommandParser) -> None:
    """The two commands below `limits`."""
    edits = parser.add_subparsers(dest="edit", metavar="set | clear")
    setting = edits.add_parser("set", help="set limits in place of the defaults of their length")
    setting.add_argument("windows", nargs="+", type=window, metavar="CALLS/SECONDS", help="10/60, 1/0.5")
    add_reason(setting)
    clearing = edits.add_parser("clear", help="let the defaults hold again")
    clearing.add_argument("--seconds", type=seconds, help="only the limit of this length")
    for each in (setting, clearing):
        _add_subject(each)


def _add_subject(parser: CommandParser) -> None:
    """What it is about. Some options may stand before the word as well, so their absence says nothing."""
    before: dict[str, Any] = {"default": argparse.SUPPRESS}
    parser.add_argument("--connection", help="its id, or the platform's id of the ad account", **before)
    parser.add_argument("--account", help="name or id: all calls of a tenant", **before)
    providers = Provider.values
    parser.add_argument("--provider", choices=providers, help="all calls of the app or project", **before)
    parser.add_argument("--plan", help="name: all calls of each tenant that has it")
    parser.add_argument("--each", action="store_true", help="with --provider: each of its ad accounts")
    parser.add_argument("--use-case", default="", help="of ad accounts: only its calls, e.g. ads_insights")
    parser.add_argument("--json", action="store_true", help="print JSON instead of sentences", **before)


def window(text: str) -> Window:
    """An option's type: `10/60`, ten calls a minute."""
    calls, _, length = text.partition("/")
    try:
        return Window(int(calls), float(length))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must look like 10/60 (calls/seconds), at least one call and more than no time, not {text!r}"
        ) from None


def set_from(options: dict[str, Any]) -> list[CallLimit]:
    """Set what the options say."""
    limits = [_subject(options) for _ in options["windows"]]
    for limit, wanted in zip(limits, options["windows"], strict=True):
        limit.calls, limit.seconds, limit.reason = wanted.calls, wanted.seconds, options["reason"]
    try:
        set_limits(limits, by=operator())
    except ValidationError as exc:
        name, messages = next(iter(exc.message_dict.items()))
        raise WrongUse(f"{OPTIONS.get(name, name)}: {messages[0]}") from None
    return limits


def clear_from(options: dict[str, Any]) -> tuple[CallLimit, list[CallLimit]]:
    """Clear what the options say; what was meant, and what held of it."""
    subject = _subject(options)
    limits: CallLimitQuerySet = CallLimit.objects.like(subject)
    if options["seconds"]:
        limits = limits.filter(seconds=options["seconds"])
    return subject, clear_limits(limits, by=operator())


def _subject(options: dict[str, Any]) -> CallLimit:
    """An unsaved limit that names what the options name."""
    given = [name for name in ("connection", "account", "plan", "provider") if options[name]]
    if len(given) != 1:
        raise WrongUse(f"limits {options['edit']}: {SUBJECT}. Exactly one of them.")
    if options["each"] and given != ["provider"]:
        raise WrongUse("--each: it goes with --provider.")
    use_case = options["use_case"]
    match given[0]:
        case "connection":
            connection = find_connection(options["connection"], Connection.objects.all())
            return CallLimit(
                scope=LimitScope.CONNECTION,
                provider=connection.provider,
                external_id=connection.external_id,
                use_case=use_case,
            )
        case "account":
            account = find_account(options["account"])
            return CallLimit(scope=LimitScope.ACCOUNT, account=account, use_case=use_case)
        case "plan":
            return CallLimit(scope=LimitScope.PLAN, plan=_find_plan(options["plan"]), use_case=use_case)
        case _:
            scope = LimitScope.CONNECTION if options["each"] else LimitScope.PROVIDER
            return CallLimit(scope=scope, provider=options["provider"], use_case=use_case)


def _find_plan(name: str) -> Plan:
    plan = Plan.objects.filter(name=name).first()
    if plan is None:
        names = ", ".join(Plan.objects.order_by("name").values_list("name", flat=True)[:5])
        raise WrongUse(
            f"--plan: there is no {name!r}. {f'Give one of {names}' if names else 'None is made'}."
        )
    return plan
