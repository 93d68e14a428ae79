"""The platforms fail, break off, refuse, and no longer accept a grant."""

from collections.abc import Iterator
from functools import partial

from providers.errors import BudgetSpent
from sync.connect import connect_ad_account
from sync.models import Connection, SyncRun
from sync.models.choices import CredentialStatus, Provider, Trigger
from tests.chaos.scenario import Scenario, Storm
from tests.chaos.stage import Stage

SELDOM = 0.2  # of all calls, for each of several faults
FEW = [[4, 3], [100_000, 3600]]  # calls an ad account; with an hour's window Meta's rest is told in seconds
NOTICED_SECONDS = 15  # until a run meets the dead grant: it may have to wait for its budget
RECONNECT_SECONDS = 60  # the call that tries the new grant is metered, too
UNREACHABLE = frozenset({"unreachable", "platform_fault"})  # what is left when three attempts meet it


class ServerErrors(Scenario):
    """Most calls fail, with errors of the service and pages of the server in front of it."""

    name = "platform fails"
    dead_letters = UNREACHABLE

    def inject(self, storm: Storm) -> None:
        for platform in Provider.values:
            for kind, details in (("server_error", {"status": 503}), ("server_error", {}), ("html", {})):
                storm.stage.sandbox.fault(platform, kind, probability=SELDOM, **details)
        storm.rage()

    def heal(self, stage: Stage) -> None:
        stage.sandbox.control("faults/clear")


class CutStreams(Scenario):
    """Answers break off: before their first byte, in the middle, and as if they were whole."""

    name = "answers cut"
    dead_letters = UNREACHABLE

    def inject(self, storm: Storm) -> None:
        for platform in Provider.values:
            for kind, details in (("cut", {}), ("cut", {"parts": 1}), ("truncated", {})):
                storm.stage.sandbox.fault(platform, kind, probability=SELDOM, **details)
        storm.stage.sandbox.fault(Provider.GOOGLE, "stream_error", probability=SELDOM)
        storm.rage()

    def heal(self, stage: Stage) -> None:
        stage.sandbox.control("faults/clear")


class RateLimits(Scenario):
    """The platforms allow far less than they used to, and say so only in their refusals."""

    name = "platform refuses"

    def inject(self, storm: Storm) -> None:
        for platform in Provider.values:
            storm.stage.sandbox.control("limits", platform=platform, account=FEW)
        storm.rage()

    def heal(self, stage: Stage) -> None:
        for platform in Provider.values:
            stage.sandbox.control("limits", platform=platform, account=[])


class ExpiredTokens(Scenario):
    """A grant ends in the middle of a sync; its user connects again, and no attempt was used."""

    name = "tokens expired"

    def __init__(self) -> None:
        self._dead: dict[Connection, bool] = {}  # and whether a run met it

    def inject(self, storm: Storm) -> None:
        while True:
            one = storm.dice.choice(storm.tenants.connections)
            storm.traffic.ask([one], Trigger.MANUAL)
            storm.pause(0.1, 0.4)
            self._end_grant(storm.stage, one)
            self._dead[one] = storm.stage.wait_until(partial(_is_refused, one), NOTICED_SECONDS)
            _reconnect(storm.stage, one)
            if not storm.rages():
                return

    def missed(self, storm: Storm) -> Iterator[str]:
        if not any(self._dead.values()):
            yield "no run met an ended grant"
        for run in SyncRun.objects.filter(account__in=storm.tenants.accounts, failed_attempts__gt=0):
            yield f"run {run.pk} used {run.failed_attempts} attempts"

    def _end_grant(self, stage: Stage, one: Connection) -> None:
        """Meta's token; at Google the grant, for a mere access token is renewed without anybody."""
        one.credential.refresh_from_db()
        action = "tokens/expire" if one.provider == Provider.META else "tokens/revoke"
        stage.sandbox.control(action, platform=one.provider, token=one.credential.secret)


def _is_refused(one: Connection) -> bool:
    one.credential.refresh_from_db()
    return one.credential.status == CredentialStatus.RECONNECT_NEEDED


def _reconnect(stage: Stage, one: Connection) -> None:
    """As the user does, who tries again while the budget is spent."""
    token = stage.sandbox.control("tokens", platform=one.provider)["token"]

    def connects() -> bool:
        try:
            connect_ad_account(
                one.account, one.provider, one.external_id, token, login_customer_id=one.login_customer_id
            )
        except BudgetSpent:
            return False
        return True

    if not stage.wait_until(connects, RECONNECT_SECONDS):
        raise AssertionError(f"{one} could not be connected again within {RECONNECT_SECONDS} s")
