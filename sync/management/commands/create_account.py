"""Make an account (a tenant) and its owner."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandParser
from django.db import transaction

from sync.management.command import AdTigerCommand, WrongUse
from sync.models import Account, Membership, Plan
from sync.models.choices import Role


class Command(AdTigerCommand):
    help = "Make an account and its owner, who may connect ad accounts, sync them, and let others in."
    examples = ("create_account Acme --owner alice", "create_account Acme --owner alice --plan Agency")

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the account's name")
        parser.add_argument(
            "--owner", required=True, help="user name of an existing user (`createsuperuser`)"
        )
        parser.add_argument("--plan", help="name of an existing plan; without one the settings' limits hold")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"].strip()
        owner = User.objects.filter(username=options["owner"]).first()
        if owner is None:
            raise WrongUse(f"--owner: there is no user {options['owner']!r}. Make one with createsuperuser.")
        plan = Plan.objects.filter(name=options["plan"]).first()
        if options["plan"] and plan is None:
            raise WrongUse(f"--plan: there is no plan {options['plan']!r}. Plans are made in the admin.")
        if not name or Account.objects.filter(name=name).exists():
            raise WrongUse(f"An account needs a name of its own, and {name!r} is none.")
        with transaction.atomic():
            account = Account.objects.create(name=name, plan=plan)
            Membership.objects.create(account=account, user=owner, role=Role.OWNER)
        self.stdout.write(f"Made account {account.name}, id {account.pk}")
