"""Connect an ad account with a token that exists already, as system users have them."""

import sys
from datetime import UTC, datetime
from getpass import getpass
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db import transaction

from providers.errors import BudgetSpent, ProviderError
from sync import moments
from sync.connect import Connected, connect_ad_account, connect_all
from sync.errors import SyncError
from sync.management.command import AdTigerCommand, WrongUse
from sync.management.lookup import find_account
from sync.management.output import add_json, print_json
from sync.models import Account
from sync.models.choices import Provider


class Command(AdTigerCommand):
    help = (
        "Connect an ad account with a token that exists already, or renew its grant. The token is tried at "
        "the platform before anything is stored. It is best sent to standard input or typed when asked for: "
        "an option stands in the shell's history and in the list of processes."
    )
    examples = (
        "connect --account Acme --provider meta --external-id act_123 < token.txt",
        "connect --account Acme --provider google --external-id 123-456-7890 "
        "--login-customer-id 300-000-0001 < token.txt",
        "connect --account Acme --create-account --provider meta --all-accounts --json < token.txt",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, help="name or id of whom the connection is for")
        parser.add_argument("--create-account", action="store_true", help="make the account if it is missing")
        parser.add_argument("--provider", required=True, choices=Provider.values)
        parser.add_argument("--external-id", metavar="ID", help="Meta: act_<digits>; Google: the customer id")
        parser.add_argument(
            "--all",
            "--all-accounts",
            action="store_true",
            help="every active ad account that the token reaches",
        )
        parser.add_argument("--token", help="Meta's access token; - or left out: from standard input")
        parser.add_argument(
            "--refresh-token", metavar="TOKEN", help="Google's refresh token; - or left out: as above"
        )
        parser.add_argument(
            "--login-customer-id",
            default="",
            metavar="ID",
            help="Google: the manager through which access is given",
        )
        add_json(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if bool(options["external_id"]) == options["all"]:
            raise WrongUse("Give either --external-id or --all.")
        if options["login_customer_id"] and (options["provider"] != Provider.GOOGLE or options["all"]):
            raise WrongUse("--login-customer-id belongs to one Google customer: --all finds it by itself.")
        secret = _secret(options)
        try:
            with transaction.atomic():  # a refused token leaves no account behind
                connected = _connect(secret, options)
        except BudgetSpent as exc:
            again = datetime.fromtimestamp(exc.retry_at, UTC)
            raise CommandError(
                f"Not connected, and nothing was stored: {exc}. Try again after {moments.told(again)}."
            ) from None
        except (ProviderError, SyncError) as exc:
            raise CommandError(f"Not connected, and nothing was stored: {exc}") from None
        if options["json"]:
            print_json(self, {"connections": [_describe(each) for each in connected]})
            return
        for each in connected:
            self._tell(each)

    def _tell(self, each: Connected) -> None:
        connection = each.connection
        done = "Connected" if each.created else "Connected again"
        self.stdout.write(
            f"{done}: {connection.get_provider_display()} {connection.external_id} "
            f"{connection.name} ({connection.currency}, {connection.time_zone}), id {connection.pk}"
        )


def _connect(secret: str, options: dict[str, Any]) -> list[Connected]:
    account, provider = _account(options), options["provider"]
    if options["all"]:
        return connect_all(account, provider, secret)
    login = options["login_customer_id"]
    return [connect_ad_account(account, provider, options["external_id"], secret, login_customer_id=login)]


def _account(options: dict[str, Any]) -> Account:
    name = options["account"].strip()
    if not name:
        raise WrongUse("--account: the name is empty.")
    if options["create_account"] and not Account.objects.filter(name=name).exists():
        return Account.objects.create(name=name)
    return find_account(name)


def _secret(options: dict[str, Any]) -> str:
    provider = Provider(options["provider"])
    wanted, other = "token", "refresh_token"
    if provider == Provider.GOOGLE:
        wanted, other = other, wanted
    option = f"--{wanted.replace('_', '-')}"
    if options[other] is not None:
        raise WrongUse(f"{provider.label} needs {option}.")
    given = options[wanted]
    if given in (None, "-"):
        given = getpass("Token (not shown): ") if sys.stdin.isatty() else sys.stdin.read()
    if not (secret := given.strip()):
        raise WrongUse(f"No token: give {option}, or send it to standard input.")
    return str(secret)


def _describe(each: Connected) -> dict[str, Any]:
    connection = each.connection
    return {
        "id": str(connection.pk),
        "created": each.created,
        "provider": connection.provider,
        "external_id": connection.external_id,
        "login_customer_id": connection.login_customer_id,
        "name": connection.name,
        "currency": connection.currency,
        "time_zone": connection.time_zone,
    }
