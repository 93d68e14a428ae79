"""Connect an ad account with a token that exists already, as system users have them."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from providers.errors import ProviderError
from sync.connect import Connected, connect_ad_account, connect_all
from sync.errors import SyncError
from sync.management.lookup import find_account
from sync.models import Account
from sync.models.choices import Provider


class Command(BaseCommand):
    help = (
        "Connect an ad account with a token that exists already. The token is tried at the platform "
        "before anything is stored. Examples: "
        "`connect --account Acme --provider meta --external-id act_123 < token.txt`, "
        "`connect --account Acme --provider google --external-id 123-456-7890 "
        "--login-customer-id 300-000-0001 --refresh-token -`."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--account", required=True, help="name or id of the account that gets the connection"
        )
        parser.add_argument("--create-account", action="store_true", help="make the account if it is missing")
        parser.add_argument("--provider", required=True, choices=Provider.values)
        parser.add_argument("--external-id", help="Meta: act_<digits>; Google: the customer id")
        parser.add_argument(
            "--all", action="store_true", help="connect every ad account that the token reaches"
        )
        parser.add_argument("--token", help="Meta's access token; - or nothing: read from standard input")
        parser.add_argument(
            "--refresh-token", help="Google's refresh token; - or nothing: from standard input"
        )
        parser.add_argument(
            "--login-customer-id", default="", help="Google: the manager through which access is given"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        provider = options["provider"]
        if bool(options["external_id"]) == options["all"]:
            raise CommandError("Give either --external-id or --all.")
        secret = self._secret(provider, options["token"], options["refresh_token"])
        try:
            with transaction.atomic():  # a refused token leaves no account behind
                connected = self._connect(provider, secret, options)
        except (ProviderError, SyncError) as exc:
            raise CommandError(f"Not connected, and nothing was stored: {exc}") from None
        for each in connected:
            self._tell(each)

    def _connect(self, provider: str, secret: str, options: dict[str, Any]) -> list[Connected]:
        account = self._account(options["account"], create=options["create_account"])
        if options["all"]:
            return connect_all(account, provider, secret)
        login = options["login_customer_id"]
        return [
            connect_ad_account(account, provider, options["external_id"], secret, login_customer_id=login)
        ]

    def _account(self, name: str, *, create: bool) -> Account:
        if create and not Account.objects.filter(name=name).exists():
            return Account.objects.create(name=name)
        return find_account(name)

    def _secret(self, provider: str, token: str | None, refresh_token: str | None) -> str:
        wanted, given, other = (
            ("--token", token, refresh_token)
            if provider == Provider.META
            else ("--refresh-token", refresh_token, token)
        )
        if other is not None:
            raise CommandError(f"{Provider(provider).label} needs {wanted}.")
        secret = (sys.stdin.read() if given in (None, "-") else given).strip()
        if not secret:
            raise CommandError(f"No token: give {wanted}, or send it to standard input.")
        return secret

    def _tell(self, each: Connected) -> None:
        connection = each.connection
        done = "Connected" if each.created else "Connected again"
        self.stdout.write(
            f"{done}: {connection.get_provider_display()} {connection.external_id} "
            f"{connection.name} ({connection.currency}, {connection.time_zone}), id {connection.pk}"
        )
