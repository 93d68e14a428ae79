"""All ad accounts of both platforms.

An account's contents are made at their first use, so a thousand accounts cost nothing until read.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from providers.sandbox.catalog import Catalog, Entity
from providers.sandbox.constants import Platform
from providers.sandbox.delivery import Source, generated
from providers.sandbox.journal import Entry

# Generated ids: one block per account, so that an id alone tells its account. Meta's pass 2^53, as real
# ones do; Google's have the usual 12 digits.
ID_BASE = {Platform.META: 23_850_000_000_000_000, Platform.GOOGLE: 170_000_000_000}
ID_SPAN = 100_000_000


@dataclass(eq=False)
class Account:
    """An ad account (Google: a customer), open or closed, with or without a manager above it."""

    platform: Platform
    id: str  # digits
    name: str
    currency: str
    time_zone: str
    status: str  # Meta: account_status as digits; Google: CustomerStatus
    created: int
    fill: Callable[["Account"], Catalog]
    ordinal: int
    manager_id: str = ""
    more_managers: tuple[str, ...] = ()  # Google: a customer may have several
    is_manager: bool = False
    is_hidden: bool = False  # Google: its managers do not show it
    is_direct: bool = False  # Google: reachable without the manager as well
    seed: int = 0  # of what its ads deliver
    source: Source = generated  # what they deliver
    # Google: recorded figures by level, where there are some, instead of what the ads deliver.
    stats: Callable[[str], list[tuple[int, int, Any]]] | None = None
    # Recorded edits that are still to come, for an account that was made of recorded data; each is told
    # the time at which it happens.
    history: list[Callable[[float], None]] = field(default_factory=list)
    journal: list[Entry] = field(default_factory=list)  # the oldest first

    @cached_property
    def catalog(self) -> Catalog:
        return self.fill(self)

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def managers(self) -> tuple[str, ...]:
        """The ids of those directly above."""
        return (self.manager_id, *self.more_managers) if self.manager_id else ()

    @property
    def first_id(self) -> int:
        """The beginning of this account's block of ids."""
        return ID_BASE[self.platform] + self.ordinal * ID_SPAN


class World:
    """The accounts by platform and id, in the order of their making."""

    def __init__(self) -> None:
        self._accounts: dict[Platform, dict[str, Account]] = {platform: {} for platform in Platform}
        # By the block of ids; accounts with contents of other origin share none, and are looked through.
        self._generated: dict[Platform, dict[int, Account]] = {platform: {} for platform in Platform}
        self._others: dict[Platform, list[Account]] = {platform: [] for platform in Platform}

    def add(self, account: Account) -> None:
        """Open an account. Its id must be new."""
        accounts = self._accounts[account.platform]
        if account.id in accounts:
            raise ValueError(f"{account.platform} account {account.id} exists already")
        accounts[account.id] = account
        if account.ordinal:
            self._generated[account.platform][account.ordinal] = account
        else:
            self._others[account.platform].append(account)

    def next_ordinal(self, platform: Platform) -> int:
        """For the next generated account; those with contents of other origin have none."""
        return 1 + len(self._generated[platform])

    def accounts(self, platform: Platform) -> list[Account]:
        return list(self._accounts[platform].values())

    def below(self, manager: Account) -> dict[Account, int]:
        """All that a Google manager reaches, itself included, and how many levels below it."""
        levels, reached = {manager: 0}, [manager]
        for above in reached:
            for account in self._accounts[above.platform].values():
                if above.id in account.managers and account not in levels:
                    levels[account] = levels[above] + 1
                    reached.append(account)
        return levels

    def account(self, platform: Platform, account_id: str) -> Account | None:
        """Find by id; `act_` in front and dashes inside are accepted."""
        return self._accounts[platform].get(account_id.removeprefix("act_").replace("-", ""))

    def entity(self, platform: Platform, entity_id: int) -> Entity | None:
        """Find a campaign, ad group or ad by its id alone."""
        ordinal = (entity_id - ID_BASE[platform]) // ID_SPAN
        generated = self._generated[platform].get(ordinal)
        holders = self._others[platform] if generated is None else [generated, *self._others[platform]]
        return next((found for holder in holders if (found := holder.catalog.find(entity_id))), None)
