"""Syncs as a state machine: any order of edits, removals, returns, faults, deaths and page sizes.

Hypothesis looks for an order after which a full pass that succeeded leaves a catalog that differs from
the sandbox's truth, changes that differ from the edits, or writes on an account that did not change.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from providers.google.client import GoogleClient
from providers.meta.client import MetaClient
from providers.records import Page
from providers.sandbox.process import Sandbox
from sync.ledger.recover import take_back
from sync.ledger.scope import Scope
from sync.models import Ad, AdGroup, Campaign, Change, Entity, SyncRun
from sync.models.choices import ENDED, Mode, RunState
from tests.factories import make_account
from tests.integration.sandbox_fixtures import sandbox, sandbox_process  # noqa: F401  (fixtures)
from tests.integration.syncing import BOTH, ask, make_due, small_pages, work
from tests.platforms import assert_equal_to_platform, assert_same, connect, platform  # noqa: F401  (fixtures)

KINDS: dict[str, type[Entity]] = {"campaigns": Campaign, "ad_groups": AdGroup, "ads": Ad}
CLIENTS: dict[str, Any] = {"meta": MetaClient, "google": GoogleClient}
NUMBERS = st.integers(0, 999)
ANY_KIND = st.sampled_from(list(KINDS))
FAULTS = {
    "meta": (
        "server_error",
        "cut",
        "truncated",
        "html",
        "repeat_rows",
        "hide_rows",
        "expired_cursor",
        "empty",
    ),
    "google": ("server_error", "cut", "html", "stream_error", "repeat_rows"),
}
FAULT = st.none() | st.tuples(st.integers(0, 7), st.integers(0, 4))  # which, and after how many calls
PAGES = st.none() | st.integers(0, 6)
ACTS = ("rename", "stop_or_start", "add", "remove", "vanish", "bring_back", "bring_back")
EDITS = st.lists(st.tuples(st.sampled_from(ACTS), ANY_KIND, NUMBERS), max_size=6)
Edits = list[tuple[str, str, int]]
TURNS = 60  # of the worker's loop, after which a sync counts as one that never ends


class Died(BaseException):
    """The worker's process is gone: nothing of ours handles that."""


class Syncs(RuleBasedStateMachine):
    """One ad account of some 25 entities; a name is never given twice."""

    def __init__(self, platform: Sandbox, provider: str, patch: pytest.MonkeyPatch) -> None:
        super().__init__()
        self.platform, self.provider, self.patch = platform, provider, patch
        self.rollback = transaction.atomic()
        self.rollback.__enter__()
        platform.control("faults/clear")
        self.connection = connect(platform, make_account("Acme"), provider, campaigns=3, ad_groups=6, ads=15)
        self.where = {"platform": provider, "account": self.connection.external_id}
        self.names = 0
        self.gone: list[str] = []
        self.touched: set[tuple[str, str]] = set()  # since the last pass, by their own edits
        self.full_pass([], rows=7, fault=None, dies_after=None)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.rollback.__exit__(None, None, None)

    def rename(self, kind: str, number: int) -> None:
        if external_id := self.some(kind, number):
            self.names += 1
            self.platform.control("edit", **self.where, id=external_id, name=f"Name {self.names}")
            self.touched.add((kind, external_id))

    def stop_or_start(self, kind: str, number: int) -> None:
        if external_id := self.some(kind, number):
            told = self.truth()[kind][external_id]["status"]
            live = {"meta": "ACTIVE", "google": "ENABLED"}[self.provider]
            status = "PAUSED" if told == live else live
            self.platform.control("edit", **self.where, id=external_id, status=status)
            self.touched.add((kind, external_id))

    def add(self, kind: str, number: int) -> None:
        if self.some(kind, number):
            self.names += 1
            added = self.platform.control("create", **self.where, kind=kind, name=f"Name {self.names}")
            self.touched.add((kind, added["id"]))

    def remove(self, kind: str, number: int, *, vanish: bool = False) -> None:
        if external_id := self.some(kind, number):
            self.platform.control("remove", **self.where, id=external_id, vanish=vanish)
            self.gone.append(external_id)
            self.touched.add((kind, external_id))

    def vanish(self, kind: str, number: int) -> None:
        self.remove(kind, number, vanish=True)

    def bring_back(self, kind: str, number: int) -> None:
        if self.gone:
            external_id = self.gone.pop(number % len(self.gone))
            with suppress(ValueError):  # it vanished with a parent, and comes back with it
                self.platform.control("return", **self.where, id=external_id)

    @rule(edits=EDITS, rows=st.integers(3, 12), fault=FAULT, dies_after=PAGES)
    def full_pass(
        self, edits: Edits, rows: int, fault: tuple[int, int] | None, dies_after: int | None
    ) -> None:
        self.edit(edits)
        before, told = self.catalog(), Change.objects.count()
        small_pages(self.patch, rows)
        broken = self.break_something(fault)
        run = self.sync(Mode.FULL, None if dies_after is None else (dies_after, die))
        assert run.state == RunState.SUCCEEDED, run.error_message
        if broken == "hide_rows":  # what is new and was hidden nobody can miss: the next one sees it
            self.sync(Mode.FULL, None)
        assert_equal_to_platform(self.platform, self.connection)
        self.check_changes(before, since=told)

    @rule(edits=EDITS, rows=st.integers(3, 6), fault=FAULT, after=st.integers(0, 6))
    def edits_while_it_reads(
        self, edits: Edits, rows: int, fault: tuple[int, int] | None, after: int
    ) -> None:
        """Rows move between the pages; what the pass could not see, the next one does."""
        small_pages(self.patch, rows)
        self.break_something(fault)
        run = self.sync(Mode.FULL, (after, partial(self.edit, edits)))
        assert run.state == RunState.SUCCEEDED, run.error_message
        self.sync(Mode.FULL, None)
        assert_equal_to_platform(self.platform, self.connection)

    @rule(edits=EDITS, rows=st.integers(3, 12), fault=FAULT, dies_after=PAGES)
    def incremental_pass(
        self, edits: Edits, rows: int, fault: tuple[int, int] | None, dies_after: int | None
    ) -> None:
        """What was edited itself is as the platform has it; what vanished is for the full pass to see."""
        self.edit(edits)
        before, told = self.catalog(), Change.objects.count()
        small_pages(self.patch, rows)
        broken = self.break_something(fault)
        touched = self.touched
        run = self.sync(Mode.INCREMENTAL, None if dies_after is None else (dies_after, die))
        assert run.state == RunState.SUCCEEDED, run.error_message
        if broken == "hide_rows":  # the next one looks back by some minutes, and sees what was hidden
            self.sync(Mode.INCREMENTAL, None)
        truth, catalog = self.truth(), self.catalog()
        for kind, external_id in touched:
            if external_id in truth[kind]:
                row = KINDS[kind].objects.get(connection=self.connection, external_id=external_id)  # type: ignore[attr-defined]  # each has `objects`
                assert_same(row, truth[kind][external_id])
        assert all(catalog[key][2] for key, (_, _, was_there) in before.items() if was_there), (
            "absence proves nothing"
        )
        self.check_changes(before, since=told)

    @rule()
    def unchanged(self) -> None:
        small_pages(self.patch, 9)
        self.sync(Mode.FULL, None)
        before, changes = self.versions(), Change.objects.count()
        run = self.sync(Mode.FULL, None)
        assert (self.versions(), Change.objects.count(), run.changes) == (before, changes, {})

    def edit(self, edits: Edits) -> None:
        for act, kind, number in edits:
            getattr(self, act)(kind, number)

    def break_something(self, fault: tuple[int, int] | None) -> str:
        """Returns what will be broken."""
        if fault is None:
            return ""
        number, after_calls = fault
        kinds, account = FAULTS[self.provider], self.connection.external_id
        kind = kinds[number % len(kinds)]
        self.platform.fault(self.provider, kind, account=account, after_calls=after_calls)
        return kind

    def sync(self, mode: Mode, between: tuple[int, Callable[[], None]] | None) -> SyncRun:
        """Ask, and work until it ends; `between` happens once, after so many pages."""
        run = ask(self.connection, scope=Scope(mode=mode))
        with self.patch.context() as patch:
            if between is not None:
                patch.setattr(CLIENTS[self.provider], "pages", interrupted(self.provider, *between))
            try:
                self.work_to_its_end(run)
            except Died:
                take_back(SyncRun.objects.running())
                self.work_to_its_end(run)
        self.platform.control("faults/clear")
        self.touched = set()
        return run

    def work_to_its_end(self, run: SyncRun) -> None:
        for _ in range(TURNS):
            work(self.connection)
            run.refresh_from_db()
            if run.state in ENDED:
                return
            make_due(run)
        raise AssertionError(f"never ends: {run.state}, {run.waiting_for}")

    def truth(self) -> dict[str, dict[str, Any]]:
        return self.platform.truth(self.provider, self.connection.external_id)

    def some(self, kind: str, number: int) -> str:
        """An entity of the kind that the platform has; nothing when it has none."""
        ids = sorted(self.truth()[kind])
        return ids[number % len(ids)] if ids else ""

    def catalog(self) -> dict[tuple[str, str], tuple[str, str, bool]]:
        """By kind and id: name, status, and whether it is there."""
        return {
            (kind, row.external_id): (row.name, row.status, row.removed_at is None)
            for kind in KINDS
            for row in self.rows(kind)
        }

    def check_changes(self, before: Any, *, since: int) -> None:
        """Every difference between two passes is told, once, and nothing else is."""
        told = list(Change.objects.order_by("pk")[since:])
        if not before:  # all is new: nothing changed
            assert not told
            return
        expected = set[tuple[Any, ...]]()
        for key, (name, status, is_there) in self.catalog().items():
            if key not in before:
                expected.add((*key, "created", "", None, None))
                continue
            old_name, old_status, was_there = before[key]
            if was_there != is_there:
                expected.add((*key, "returned" if is_there else "removed", "", None, None))
            for field, old, new in (("name", old_name, name), ("status", old_status, status)):
                if old != new:
                    expected.add((*key, "updated", field, old, new))
        found = [
            (f"{change.entity}s", change.external_id, change.action, change.field, change.old, change.new)
            for change in told
            if change.field in ("", "name", "status")
        ]
        assert len(found) == len(set(found)), "told twice"
        assert set(found) == expected

    def versions(self) -> list[Any]:
        return [
            list(
                self.rows(kind)
                .extra(select={"version": "xmin::text || ctid::text"})
                .order_by("pk")
                .values_list("pk", "version")
            )
            for kind in KINDS
        ]

    def rows(self, kind: str) -> Any:
        return KINDS[kind]._default_manager.filter(connection=self.connection)


def die() -> None:
    raise Died


def interrupted(provider: str, after: int, act: Callable[[], None]) -> Any:
    """The client's `pages`, with an act after so many pages of the run."""
    read, left = CLIENTS[provider].pages, [after]

    def pages(self: Any, *args: Any, **options: Any) -> Iterator[Page]:
        for page in read(self, *args, **options):
            left[0] -= 1
            if left[0] == -1:
                act()
            yield page

    return pages


@pytest.mark.django_db
@BOTH
def test_no_order_of_edits_faults_and_deaths_breaks_the_copy(
    platform: Sandbox, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_state_machine_as_test(
        lambda: Syncs(platform, provider, monkeypatch),  # type: ignore[arg-type]  # whatever makes one
        settings=settings(
            max_examples=10,
            stateful_step_count=8,
            phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a shorter order takes minutes to find
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
