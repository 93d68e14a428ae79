"""Make an API token for a member of an account."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import CommandParser

from sync.management.command import AdTigerCommand, WrongUse, count
from sync.management.lookup import find_account
from sync.models import ApiToken


class Command(AdTigerCommand):
    help = (
        "Make an API token, bound to one account, and print it and nothing else. It is stored as a hash: "
        "this is the one time that it is shown."
    )
    examples = (
        "create_token --account Acme --user alice --name frontend",
        "create_token --account Acme --user alice --name ci --days 30 > token.txt",
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--account", required=True, help="name or id of the account that it is for")
        parser.add_argument("--user", required=True, help="user name of a member of the account")
        parser.add_argument("--name", default="", help="what it is for, e.g. frontend")
        parser.add_argument("--days", type=count, help="how long it lives (default: API_TOKEN_DAYS)")

    def handle(self, *args: Any, **options: Any) -> None:
        account = find_account(options["account"])
        user = User.objects.filter(username=options["user"], memberships__account=account).first()
        if user is None:
            raise WrongUse(f"--user: {options['user']!r} is no member of {account.name}.")
        lifetime = timedelta(days=options["days"]) if options["days"] else settings.REST_KNOX["TOKEN_TTL"]
        _, token = ApiToken.objects.create(user=user, account=account, name=options["name"], expiry=lifetime)
        self.stdout.write(str(token))
