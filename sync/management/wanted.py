"""What an operator wants to be read: the options that choose a kind of sync, and how much of it."""

import argparse
import re
from datetime import date, timedelta
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from providers.records import Level
from sync.engine.insights.plan import oldest_day
from sync.ledger import wishes
from sync.ledger.scope import Scope
from sync.ledger.wishes import Wish, Wishes
from sync.management.command import WrongUse
from sync.models import Connection
from sync.models.choices import Kind, Mode, Provider

IDS = {"campaign": "--campaign", "ad_group": "--ad-group", "ad": "--ad"}
OF_INSIGHTS = {"from": "--from", "to": "--to", "level": "--level"}
DIGITS = r"\d{1,20}"
AHEAD = timedelta(hours=14)  # the first place on earth to have a day


def add_wanted(parser: CommandParser) -> None:
    """The options."""
    parser.add_argument("--kind", choices=Kind.values, help="only this; without it, all that is due")
    parser.add_argument("--mode", choices=Mode.values, help="of campaigns; without it, full once a day")
    for name, option in IDS.items():
        what = name.replace("_", " ")
        parser.add_argument(
            option,
            dest=name,
            action="append",
            default=[],
            metavar="ID",
            help=f"this {what} with what is below it, at once; repeatable",
        )
    for name, what in (("from", "first"), ("to", "last")):
        parser.add_argument(f"--{name}", type=day, metavar="DAY", help=f"of insights: the {what} day to read")
    parser.add_argument(
        "--level",
        action="append",
        default=[],
        choices=[str(level) for level in Level],
        help="of insights: only this level; repeatable",
    )


def day(text: str) -> date:
    """An option's type: a day as 2026-11-01."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day: write it as 2026-11-01") from None


def wanted(options: dict[str, Any]) -> Wishes:
    """What is to be asked for. Raises `WrongUse` for what does not go together."""
    kind = _kind(options)
    if kind == Kind.ADS:
        campaigns, ad_groups, ads = (tuple(sorted(set(options[name]))) for name in IDS)
        return wishes.only(Wish(kind, Scope(campaign_ids=campaigns, ad_group_ids=ad_groups, ad_ids=ads)))
    if kind == Kind.INSIGHTS:
        since, until = _days(options)
        levels = tuple(sorted(set(options["level"])))
        return wishes.only(Wish(kind, Scope(levels=levels, date_from=since, date_to=until)))
    if options["mode"]:
        return wishes.only(Wish(Kind.CAMPAIGNS, Scope(Mode(options["mode"]))))
    if kind == Kind.CAMPAIGNS:
        return lambda connection: [wish for wish in wishes.of_person(connection) if wish.kind == kind]
    return wishes.of_person


def check_ids(options: dict[str, Any], connection: Connection) -> None:
    """Raises `WrongUse` for ids that the platform can't have given."""
    is_google = connection.provider == Provider.GOOGLE
    for name, option in IDS.items():
        is_pair = is_google and name == "ad"
        form, example = (f"{DIGITS}~{DIGITS}", "33~44: ad group and ad") if is_pair else (DIGITS, "123")
        for external_id in options[name]:
            if not re.fullmatch(form, external_id, re.ASCII):
                label = connection.get_provider_display()
                raise WrongUse(f"{option}: {external_id!r} is no id at {label}. Write it as {example}.")


def _kind(options: dict[str, Any]) -> Kind | None:
    """The kind that is named, or that the other options mean."""
    kind = options["kind"]
    ids = [option for name, option in IDS.items() if options[name]]
    of_insights = [option for name, option in OF_INSIGHTS.items() if options[name]]
    if ids and kind not in (None, Kind.ADS):
        raise WrongUse(f"{ids[0]}: what is named by id is read by --kind ads; leave out --kind {kind}.")
    if kind == Kind.ADS and not ids:
        raise WrongUse("--kind ads: name what is to be read with --campaign, --ad-group or --ad.")
    if of_insights and kind != Kind.INSIGHTS:
        raise WrongUse(f"{of_insights[0]}: days and levels are those of insights; say --kind insights.")
    if options["mode"] and (ids or kind not in (None, Kind.CAMPAIGNS)):
        raise WrongUse("--mode: only campaigns are read in full or by what changed; leave it out.")
    return Kind.ADS if ids else kind and Kind(kind)


def _days(options: dict[str, Any]) -> tuple[date | None, date | None]:
    """The first and the last, or none: then those are read that are due."""
    since, until = options["from"], options["to"]
    if not since and not until:
        return None, None
    if not since or not until:
        missing = "--to" if since else "--from"
        raise WrongUse(f"{missing}: say both, --from and --to; or leave out both, for the days that are due.")
    return check_days(since, until)


def check_days(since: date, until: date) -> tuple[date, date]:
    """The same days, if metrics can be read of them; else `WrongUse` says why not."""
    now = timezone.now()
    for option, one in (("--from", since), ("--to", until)):
        if one > (now + AHEAD).date():
            raise WrongUse(f"{option}: {one} is yet to come. The last day may be today.")
    if since > until:
        raise WrongUse(f"--to: {until} is before --from {since}.")
    if since < (oldest := oldest_day(now.date())):
        raise WrongUse(f"--from: the platforms keep 37 months of daily metrics, so from {oldest} on.")
    return since, until
