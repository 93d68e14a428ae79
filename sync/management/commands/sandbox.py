"""Run the imitation of both platforms, or act on the one that the settings point at."""

import argparse
import json
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError, CommandParser

from sync.management.command import AdTigerCommand, WrongUse, count
from sync.management.output import print_json
from sync.management.sandbox_control import act, ask, status
from sync.models.choices import Provider


class Command(AdTigerCommand):
    help = (
        "Run the sandbox, which imitates Meta and Google Ads, in the foreground; it prints the settings that "
        "point at it. Or act on the running one: look at it, or edit ads as people do at the platform."
    )
    examples = (
        "sandbox --port 8090",
        "sandbox --port 8090 --meta 100/5000/20000 --google 20/100/500",
        "sandbox --status",
        "sandbox --edit 5 --provider meta --account act_1700252260223815",
        "sandbox --latency 300-1500",
        "sandbox --fault html --provider meta --with status=503 --with probability=0.05",
        "sandbox --referee",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        run = parser.add_argument_group("run one")
        run.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
        run.add_argument("--seed", type=int, default=7, help="the same seed gives the same accounts")
        for provider in Provider.values:
            run.add_argument(
                f"--{provider}",
                action="append",
                default=[],
                metavar="CAMPAIGNS/GROUPS/ADS",
                help="an ad account of this size instead of the usual ones; repeatable",
            )
        _add_running(parser.add_argument_group("act on the running one"))

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = next((name for name in _ACTS if options[name]), None)
        if chosen and options["port"]:
            option = chosen.replace("_", "-")
            raise WrongUse(f"--port runs a sandbox, --{option} acts on the running one: give one of them.")
        if chosen:
            print_json(self, _ACTS[chosen](options))
        else:
            _run(options)


def _edit(options: dict[str, Any]) -> dict[str, Any]:
    provider, external_id = options["provider"], options["external_id"]
    if not provider or not external_id:
        raise WrongUse("--edit needs --provider and --account.")
    return act("random-edits", platform=provider, account=external_id, count=options["edit"])


def _fault(options: dict[str, Any]) -> dict[str, Any]:
    if not options["provider"]:
        raise WrongUse("--fault needs --provider.")
    account = {"account": options["external_id"]} if options["external_id"] else {}
    rule = {"kind": options["fault"], "platform": options["provider"]} | account
    return act("faults", **rule | dict(options["details"]))


def _latency(options: dict[str, Any]) -> dict[str, Any]:
    providers = [options["provider"]] if options["provider"] else Provider.values
    return act("settings", latency=dict.fromkeys(providers, options["latency"]))


def detail(text: str) -> tuple[str, Any]:
    """An option's type: NAME=VALUE, the value in JSON or as it stands."""
    name, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r}: give it as NAME=VALUE")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


# By option; the first one that is given is done.
_ACTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "edit": _edit,
    "status": lambda _: status(),
    "accounts": lambda _: ask("accounts"),
    "calls": lambda _: ask("calls"),
    "referee": lambda _: ask("referee"),
    "fault": _fault,
    "latency": _latency,
    "clear_faults": lambda _: act("faults/clear"),
    "reset": lambda _: act("reset"),
}


def _run(options: dict[str, Any]) -> None:
    if options["port"] and not _is_free(options["port"]):
        raise CommandError(f"--port: {options['port']} is not free. Without it, a free one is taken.")
    command = [sys.executable, "-m", "providers.sandbox", "--port", str(options["port"])]
    command += ["--seed", str(options["seed"])]
    for provider in Provider.values:
        for size in options[provider]:
            command += [f"--{provider}", size]
    os.execv(sys.executable, command)  # noqa: S606  (our own module; signals reach it)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the sandbox itself binds
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
    return True


def _add_running(group: argparse._ArgumentGroup) -> None:
    """What may be done with the sandbox that runs."""
    add = group.add_argument
    add("--status", action="store_true", help="its accounts, faults, exceeded limits")
    add("--accounts", action="store_true", help="its ad accounts")
    add("--calls", action="store_true", help="the calls that it counted")
    add("--referee", action="store_true", help="all that it counted, and the limits that were exceeded")
    add("--edit", type=count, metavar="N", help="make N random edits in an ad account")
    add("--fault", metavar="KIND", help="let calls fail; providers/sandbox/README.md")
    add(
        "--with",
        dest="details",
        type=detail,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="with --fault: how, when and how often; repeatable",
    )
    add("--latency", metavar="LOW-HIGH", help="milliseconds of each call; 0-0 for none")
    add("--clear-faults", action="store_true", help="let no more calls fail")
    add("--reset", action="store_true", help="forget the calls, and end all faults and latencies")
    add("--provider", choices=Provider.values, help="with --edit, --fault, --latency: where")
    add(
        "--account",
        "--external-id",
        dest="external_id",
        metavar="ID",
        help="with --edit: in which ad account; with --fault: only there",
    )
