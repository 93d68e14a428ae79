"""The ledger as a state machine: any order of requests, claims, ends, losses, cancels, pauses and replays.

Hypothesis looks for an order that breaks an invariant: no run is lost or ends twice, one valid lease
per connection, no more running than slots, a late worker changes nothing, the claim takes the first.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sync.errors import AlreadySyncing
from sync.ledger import finish
from sync.ledger.cancel import cancel
from sync.ledger.claim import claim
from sync.ledger.dead_letters import NotADeadLetter
from sync.ledger.finish import Failure, Success
from sync.ledger.lease import Lease, LeaseLost
from sync.ledger.pause import pause, resume
from sync.ledger.position import positions
from sync.ledger.recover import take_back_lost
from sync.ledger.replay import replay
from sync.ledger.request import request_sync
from sync.ledger.scope import Scope
from sync.models import Lane, Queue, SyncAttempt, SyncRequest, SyncRun
from sync.models.choices import ENDED, Action, CredentialStatus, DeferReason, RunState, Trigger
from tests.factories import make_account, make_connection
from tests.lanes import rebuild_lanes

SLOTS = 2
NETWORK = Failure("NETWORK_ERROR", "unreachable", "", is_retryable=True)
WRONG = Failure("VALIDATION_ERROR", "invalid_request", "", is_retryable=False)
TRIGGERS = st.sampled_from([Trigger.MANUAL, Trigger.SCHEDULED])
SCOPES = st.sampled_from([(), ("1",), ("2", "3")])
NUMBERS = st.integers(0, 99)
SELDOM = st.sampled_from([False, False, False, True])


class Ledger(RuleBasedStateMachine):
    """Two accounts, four connections, two slots; every lease ever given is remembered."""

    def __init__(self) -> None:
        super().__init__()
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        accounts = [make_account("Acme"), make_account("Globex")]
        self.connections = [make_connection(account) for account in (*accounts, *accounts)]
        self.leases: list[Lease] = []
        self.ended: dict[Any, str] = {}
        self.accepted: list[SyncRequest] = []
        for number in range(len(self.connections)):
            self.request(number, Trigger.SCHEDULED, ())
        self.claim()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.rollback.__exit__(None, None, None)

    @rule(number=NUMBERS, trigger=TRIGGERS, scope=SCOPES)
    def request(self, number: int, trigger: Trigger, scope: tuple[str, ...]) -> None:
        connection = self.connections[number % len(self.connections)]
        before = SyncRun.objects.count()
        try:
            asked = request_sync(
                connection.account,
                [connection],
                trigger=trigger,
                source="api",
                scope=Scope(campaign_ids=scope),
            )
        except AlreadySyncing:
            assert SyncRun.objects.count() == before
            assert SyncRun.objects.open().filter(connection=connection).exists()
        else:
            self.accepted.append(asked.request)
            Queue.objects.update(concurrency=SLOTS)

    @rule(number=NUMBERS)
    def request_and_claim(self, number: int) -> None:
        """Often, or most of a walk would pass with nothing running."""
        self.request(number, Trigger.SCHEDULED, ())
        self.claim()

    @rule()
    def claim(self) -> None:
        first = [run for run, place in positions(SyncRun.objects.all()).items() if place == 1]
        is_free = SyncRun.objects.running().count() < SLOTS
        due = SyncRun.objects.filter(state=RunState.DEFERRED, available_at__lte=timezone.now()).exists()
        run = claim("meta", "default", worker="w")
        if not due:  # a due deferred run is promoted by the claim itself, and may come first
            assert (run.pk if run else None) == (first[0] if first and is_free else None)
        if run is not None:
            self.leases.append(Lease.of(run))

    @precondition(lambda self: self.leases)
    @rule(number=NUMBERS)
    def commit_a_page(self, number: int) -> None:
        self.leases[number % len(self.leases)].held().update(starts_without_progress=0)

    @precondition(lambda self: self.leases)
    @rule(
        number=NUMBERS,
        way=st.sampled_from(["succeed", "fail", "give up", "defer", "give back", "renew", "cancelled"]),
    )
    def leave(self, number: int, way: str) -> None:
        lease = self.leases[number % len(self.leases)]
        is_held = lease.held().exists()
        before = SyncRun.objects.filter(pk=lease.run_id).values().get()
        try:
            self._leave(lease, way)
        except LeaseLost:
            assert not is_held
            assert SyncRun.objects.filter(pk=lease.run_id).values().get() == before
        else:
            assert is_held

    def _leave(self, lease: Lease, way: str) -> None:
        match way:
            case "succeed":
                finish.succeed(lease, Success(calls=1))
            case "fail":
                finish.fail(lease, NETWORK, calls=1)
            case "give up":
                finish.fail(lease, WRONG, calls=1)
            case "defer":
                until = timezone.now() + timedelta(minutes=1)
                finish.defer(lease, until=until, reason=DeferReason.BUDGET, waiting_for="budget", calls=1)
            case "give back":
                finish.give_back(lease, message="", calls=1)
            case "cancelled":
                finish.cancel_running(lease, calls=1)
            case "renew":
                lease.renew()

    @rule()
    def time_passes(self) -> None:
        past = timezone.now() - timedelta(seconds=1)
        SyncRun.objects.filter(state=RunState.DEFERRED).update(available_at=past)

    @rule()
    def workers_die(self) -> None:
        past = timezone.now() - timedelta(seconds=1)
        SyncRun.objects.running().update(lease_expires_at=past)

    @rule()
    def take_back(self) -> None:
        failed = set(SyncRun.objects.filter(state=RunState.FAILED).values_list("pk", flat=True))
        for run in take_back_lost():
            run.refresh_from_db()
            assert run.state != RunState.RUNNING
            if run.state == RunState.FAILED and run.pk not in failed:
                assert run.starts_without_progress == 3

    @rule(number=NUMBERS)
    def cancel(self, number: int) -> None:
        cancel(
            SyncRun.objects.filter(connection=self.connections[number % len(self.connections)]), by="carol"
        )

    @rule(number=NUMBERS)
    def replay(self, number: int) -> None:
        failed = list(SyncRun.objects.filter(state=RunState.FAILED).order_by("pk"))
        if not failed:
            return
        run = failed[number % len(failed)]
        try:
            replayed = replay(run.pk, by="carol")
        except NotADeadLetter:
            assert run.resolved_at
            return
        if replayed.joined is None:
            assert not SyncRun.objects.waiting().filter(connection=run.connection).exclude(pk=run.pk).exists()
            del self.ended[run.pk]
        else:
            assert replayed.joined in SyncRun.objects.open().of_request(run.request)

    @rule(number=NUMBERS, is_paused=SELDOM)
    def pause(self, number: int, is_paused: bool) -> None:
        connection = self.connections[number % len(self.connections)]
        pause(connection, by="carol") if is_paused else resume(connection, by="carol")

    @rule(number=NUMBERS, is_lost=SELDOM)
    def reconnect(self, number: int, is_lost: bool) -> None:
        status = CredentialStatus.RECONNECT_NEEDED if is_lost else CredentialStatus.ACTIVE
        credential = self.connections[number % len(self.connections)].credential
        type(credential).objects.filter(pk=credential.pk).update(status=status)

    @invariant()
    def one_running_run_per_connection_and_no_more_than_the_slots(self) -> None:
        running = list(SyncRun.objects.running().values_list("connection_id", flat=True))
        assert len(running) == len(set(running)) <= SLOTS

    @invariant()
    def what_ended_stays_ended(self) -> None:
        now = dict(SyncRun.objects.filter(state__in=ENDED).values_list("pk", "state"))
        assert self.ended.items() <= now.items()
        self.ended = now

    @invariant()
    def every_accepted_request_has_runs(self) -> None:
        for request in self.accepted:
            assert SyncRun.objects.of_request(request).exists()

    @invariant()
    def an_attempt_is_open_exactly_while_its_run_is_running(self) -> None:
        held = set(SyncRun.objects.running().values_list("lease_token", flat=True))
        assert set(SyncAttempt.objects.filter(ended_at=None).values_list("lease_token", flat=True)) == held

    @invariant()
    def lanes_are_what_counting_anew_finds(self) -> None:
        kept = list(Lane.objects.order_by("pk").values_list("pk", "waiting", "head_at"))
        rebuild_lanes()
        assert list(Lane.objects.order_by("pk").values_list("pk", "waiting", "head_at")) == kept

    @invariant()
    def attempts_are_used_by_failures_only(self) -> None:
        for run in SyncRun.objects.filter(failed_attempts__gt=0):
            failed = run.attempts.filter(outcome="failed").count()
            was_replayed = run.interventions.filter(action=Action.REPLAYED).exists()
            assert failed == run.failed_attempts or (was_replayed and failed > run.failed_attempts)


@pytest.mark.django_db
def test_no_order_of_events_breaks_the_ledger() -> None:
    run_state_machine_as_test(
        Ledger,
        settings=settings(
            max_examples=25,
            stateful_step_count=50,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
