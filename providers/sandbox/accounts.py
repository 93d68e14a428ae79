"""Which accounts there are at the start, and how further ones are opened."""

from dataclasses import dataclass
from datetime import date

from providers.sandbox.catalog import Catalog
from providers.sandbox.constants import GOOGLE_REFRESH_TOKEN, META_TOKEN, Kind, Platform
from providers.sandbox.generate import OPENED, Sizes, generate
from providers.sandbox.recorded import recorded_google, recorded_meta
from providers.sandbox.state import Sandbox
from providers.sandbox.world import Account

DEFAULT_SIZES = (Sizes(12, 60, 400), Sizes(4, 15, 80))
ZONES = {"USD": "America/Los_Angeles", "EUR": "Europe/Berlin", "JPY": "Asia/Tokyo", "GBP": "Europe/London"}
# The second Meta account's minor unit is the yen itself: a client that divides by 100 shows it.
CURRENCIES = {Platform.META: ("USD", "JPY"), Platform.GOOGLE: ("EUR", "GBP")}
OPEN = {Platform.META: "1", Platform.GOOGLE: "ENABLED"}
ID_BASE = {Platform.META: 480_000_000_000_000, Platform.GOOGLE: 3_100_000_000}
ID_STEP = 7_368_787  # a prime: ids are apart as real ones are
MANAGER = "3000000001"


@dataclass(frozen=True)
class Opening:
    """An account to be opened; what is left empty gets a sensible value."""

    platform: Platform
    sizes: Sizes
    account_id: str = ""
    name: str = ""
    currency: str = ""
    time_zone: str = ""
    status: str = ""
    seed: int | None = None
    direct: bool = False  # Google: reachable without the manager as well
    manager: bool = False  # Google: it is one itself
    hidden: bool = False  # Google: its managers do not show it
    below: tuple[str, ...] = (MANAGER,)  # Google: its managers


def open_account(sandbox: Sandbox, opening: Opening) -> Account:
    """Open a generated account; its contents are made at their first use."""
    platform, ordinal = opening.platform, sandbox.world.next_ordinal(opening.platform)
    currency = opening.currency or CURRENCIES[platform][(ordinal - 1) % 2]
    seed = sandbox.seed if opening.seed is None else opening.seed
    below = opening.below if platform == Platform.GOOGLE else ()

    def fill(account: Account) -> Catalog:
        return Catalog() if opening.manager else generate(account, opening.sizes, seed)

    account = Account(
        platform=platform,
        id=opening.account_id or str(ID_BASE[platform] + ordinal * ID_STEP),
        name=opening.name or f"Sandbox {platform.title()} {ordinal}",
        currency=currency,
        time_zone=opening.time_zone or ZONES.get(currency, "UTC"),
        status=opening.status or OPEN[platform],
        created=OPENED,
        fill=fill,
        ordinal=ordinal,
        manager_id=next(iter(below), ""),
        more_managers=below[1:],
        is_manager=opening.manager,
        is_hidden=opening.hidden,
        is_direct=opening.direct,
        seed=seed,
    )
    sandbox.world.add(account)
    return account


def open_world(
    sandbox: Sandbox,
    sizes: dict[Platform, list[Sizes]],
    *,
    recorded: bool = True,
    recorded_until: date | None = None,
) -> None:
    """The accounts and tokens that a new sandbox begins with; `recorded_until` as `recorded_meta` has it."""
    sandbox.world.add(_manager())
    for platform in Platform:
        for number, size in enumerate(sizes[platform]):
            # The second Google customer is reachable without the manager as well.
            open_account(sandbox, Opening(platform, size, direct=number == 1))
    if recorded:
        sandbox.world.add(recorded_meta(recorded_until))
        sandbox.world.add(recorded_google(MANAGER, recorded_until))
    sandbox.grants.mint(Platform.META, token=META_TOKEN)
    sandbox.grants.mint(Platform.GOOGLE, token=GOOGLE_REFRESH_TOKEN)


def _manager() -> Account:
    return Account(
        platform=Platform.GOOGLE,
        id=MANAGER,
        name="Sandbox Manager",
        currency="EUR",
        time_zone="Europe/Berlin",
        status="ENABLED",
        created=OPENED,
        fill=lambda _: Catalog(),
        ordinal=0,
        is_manager=True,
    )


def counts(account: Account) -> dict[str, int]:
    """How much an account holds, removed entities included."""
    return {kind: len(account.catalog.of(kind)) for kind in Kind}
