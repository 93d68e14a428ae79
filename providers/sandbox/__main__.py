"""Run a sandbox: `python -m providers.sandbox --port 8090`."""

import argparse
import asyncio
import json
from datetime import date
from itertools import chain
from pathlib import Path

from providers.sandbox.accounts import DEFAULT_SIZES, open_world
from providers.sandbox.constants import Platform
from providers.sandbox.generate import Sizes
from providers.sandbox.latency import Profile
from providers.sandbox.ledger import Limit, Subject
from providers.sandbox.server import serve
from providers.sandbox.state import Sandbox

# By default the sandbox's own limits are those of the platforms' higher tiers, so that a client without
# a budget is not refused by accident: Meta's Full tier, Google's Basic access (for the whole project).
META_ACCOUNT_LIMITS = (Limit(9_000, 300), Limit(100_000, 3_600))
GOOGLE_PROJECT_LIMITS = (Limit(15_000, 86_400),)

EPILOG = (
    "Base URLs, told as JSON when it listens: META_GRAPH_URL, META_OAUTH_URL, GOOGLE_ADS_URL, "
    "GOOGLE_OAUTH_URL. Tokens, limits, faults, edits and the count of calls: providers/sandbox/README.md."
)


def main() -> None:
    options = _parser().parse_args()
    sandbox = Sandbox(seed=options.seed)
    sizes = {Platform.META: options.meta or [], Platform.GOOGLE: options.google or []}
    open_world(
        sandbox,
        {platform: list(chain(*given)) or list(DEFAULT_SIZES) for platform, given in sizes.items()},
        recorded=options.recorded,
        recorded_until=options.recorded_until,
    )
    _set_limits(sandbox, options)
    for platform, profile in options.latency:
        sandbox.latency.set(platform, profile)
    if options.faults:
        sandbox.faults.add(json.loads(options.faults.read_text(encoding="utf-8")))
    serving = serve(
        sandbox, host=options.host, port=options.port, state_file=options.state_file, leash=options.leash
    )
    asyncio.run(serving)


def _set_limits(sandbox: Sandbox, options: argparse.Namespace) -> None:
    ledger = sandbox.ledger
    ledger.account_limits[Platform.META] = list(options.meta_limit or META_ACCOUNT_LIMITS)
    ledger.account_limits[Platform.GOOGLE] = list(options.google_limit or ())
    ledger.limits[Subject(Platform.META, "")] = list(options.meta_app_limit or ())
    ledger.limits[Subject(Platform.GOOGLE, "")] = list(options.google_project_limit or GOOGLE_PROJECT_LIMITS)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m providers.sandbox",
        description="Imitate Meta's Graph API and Google Ads' REST API, quotas and faults included.",
        epilog=EPILOG,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on")
    add("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    add(
        "--state-file",
        type=Path,
        help="write the base URLs there as JSON when listening, instead of printing them",
    )
    add(
        "--leash", action="store_true", help="stop when standard input ends, so as not to outlive the starter"
    )
    _add_accounts(parser)
    _add_limits(parser)
    _add_trouble(parser)
    return parser


def _add_accounts(parser: argparse.ArgumentParser) -> None:
    """Which ad accounts there are."""
    add = parser.add_argument
    add("--seed", type=int, default=7, help="of the generated accounts and of the faults' dice")
    add("--no-recorded", dest="recorded", action="store_false", help="leave the two recorded accounts out")
    add(
        "--recorded-until",
        type=date.fromisoformat,
        metavar="DAY",
        help="move the days of the recorded accounts' metrics by whole weeks, to end by then",
    )
    for platform in Platform:
        add(
            f"--{platform}",
            type=Sizes.parse,
            action="append",
            metavar="[COUNTx]CAMPAIGNS/GROUPS/ADS",
            help=f"generated {platform.title()} accounts of this size; may be given several times",
        )


def _add_limits(parser: argparse.ArgumentParser) -> None:
    """How much it lets callers call."""
    limits = {
        "meta": "Meta ad account",
        "meta-app": "Meta app as a whole",
        "google": "Google customer",
        "google-project": "Google project as a whole",
    }
    for name, subject in limits.items():
        parser.add_argument(
            f"--{name}-limit",
            type=Limit.parse,
            action="append",
            metavar="CALLS/SECONDS[/BLOCK]",
            help=f"refuse a {subject} more calls than that in any such window, and then all for so many "
            "seconds; may be given several times",
        )


def _add_trouble(parser: argparse.ArgumentParser) -> None:
    """What goes wrong from the start."""
    add = parser.add_argument
    add(
        "--latency",
        type=_latency,
        action="append",
        default=[],
        metavar="PLATFORM=LOW-HIGH",
        help="milliseconds of each call, drawn anew; meta=300-1500, or google=lognormal:300-1500",
    )
    add(
        "--faults",
        type=Path,
        metavar="FILE",
        help="a JSON list of faults that are there from the start, as /control/faults takes them",
    )


def _latency(text: str) -> tuple[Platform, Profile]:
    platform, _, profile = text.partition("=")
    return Platform(platform), Profile.parse(profile)


if __name__ == "__main__":
    main()
