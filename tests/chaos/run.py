"""Play scenarios on a stage: break, heal, wait until all has ended, judge, and tell."""

import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from rich.console import Console

from sync import alive
from sync.models import SyncRun
from sync.models.choices import Kind, Mode, Provider, RunState, Trigger
from sync.schedule.beat import ensure_rows
from tests.chaos import journal, report
from tests.chaos.judge import Case, Verdict, judge
from tests.chaos.scenario import Scenario, Storm
from tests.chaos.scenarios import scenario as make
from tests.chaos.stage import READY_SECONDS, Stage
from tests.chaos.tenants import Tenants
from tests.chaos.traffic import Traffic
from tests.processes import eventually

ENDED_SECONDS = 120.0  # a lost call counts 35 s and its window; a busy machine needs as long again
SHORTEST_STORM = 3.0  # seconds
OTHERWISE = 9.0  # seconds that a scenario takes besides its storm
PIPE_WIDTH = 150  # columns; a terminal tells its own


def run(stage: Stage, names: list[str], *, seed: int, seconds: float) -> int:
    """Play the scenarios once, and again while there is time; 1 when a promise was broken."""
    console = Console(width=None if sys.stdout.isatty() else PIPE_WIDTH)
    ends_at = time.monotonic() + seconds
    storm_seconds = max(SHORTEST_STORM, seconds / len(names) - OTHERWISE)
    _prepare(stage)
    verdicts = []
    for number, name in enumerate(_rounds(names, ends_at)):
        dice = random.Random(f"{seed} {number} {name}")  # noqa: S311  (wanted: repeatable)
        verdict, events = play(stage, make(name), dice, storm_seconds)
        verdicts.append(verdict)
        console.print(report.table([verdict]))
        sys.stdout.flush()  # also into a file or a pipe
        if not verdict.is_clean:
            report.explain(console, verdict, _keep(stage.home / f"{number}-{name}.jsonl", events))
    console.rule()
    console.print(report.table(verdicts))
    return int(not all(verdict.is_clean for verdict in verdicts))


def play(
    stage: Stage, scenario: Scenario, dice: random.Random, seconds: float
) -> tuple[Verdict, list[journal.Event]]:
    """One scenario, from a healthy stage to a healthy stage."""
    stage.calm()
    _wait_until_healthy(stage)
    journal.clear()
    tenants = scenario.prepare(stage)
    traffic = Traffic(stage.sandbox, tenants, dice)
    storm = Storm(stage, tenants, traffic, dice, time.monotonic() + seconds)
    traffic.start()
    scenario.inject(storm)
    scenario.heal(stage)
    healed_at = time.monotonic()
    traffic.stop()
    connections.close_all()  # some of ours may be broken, too
    recovered = stage.wait_until(lambda: not _open(tenants), ENDED_SECONDS)
    recovery = time.monotonic() - healed_at
    _sync_again(stage, tenants, traffic)
    events = journal.read()
    verdict = judge(
        Case(scenario.name, tenants, traffic.told, events, stage.sandbox, _windows(), scenario.dead_letters)
    )
    verdict.recovery = recovery if recovered else None
    verdict.add("scenario", scenario.missed(storm))
    return verdict, events


def _prepare(stage: Stage) -> None:
    """An empty database's schema, the journal, a quick beat, and the fleet."""
    call_command("migrate", verbosity=0)
    journal.install()
    ensure_rows()
    every_second = IntervalSchedule.objects.create(every=1, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.filter(task__in=("sync.tick", "sync.hourly", "sync.upkeep")).update(
        interval=every_second
    )
    stage.fleet.start()


def _rounds(names: list[str], ends_at: float) -> Iterator[str]:
    yield from names
    while time.monotonic() < ends_at:
        for name in names:
            if time.monotonic() < ends_at:
                yield name


def _wait_until_healthy(stage: Stage) -> None:
    queues = {"sync.meta", "sync.google", "maintenance"}

    def is_healthy() -> bool:
        stage.fleet.tend()
        return queues <= alive.served_queues() and alive.tick_is_fresh()

    eventually(is_healthy, seconds=READY_SECONDS, what=f"a healthy fleet (see {stage.home / 'logs'})")


def _open(tenants: Tenants) -> bool:
    return SyncRun.objects.open().filter(account__in=tenants.accounts).exists()


def _sync_again(stage: Stage, tenants: Tenants, traffic: Traffic) -> None:
    """A last full sync of each ad account that may differ from its copy."""
    for one in tenants.connections:
        full = SyncRun.objects.filter(connection=one, kind=Kind.CAMPAIGNS, mode=Mode.FULL)
        last = full.order_by("created_at").last()
        if one.pk in traffic.told.edited or last is None or last.state != RunState.SUCCEEDED:
            traffic.ask([one], Trigger.MANUAL)
    stage.wait_until(lambda: not _open(tenants), ENDED_SECONDS)


def _windows() -> dict[str, Any]:
    """Those that the settings promise, in the referee's words."""
    wholes = {Provider.META: "app", Provider.GOOGLE: "project"}
    return {
        provider: {
            "account": settings.CONNECTION_WINDOWS[provider],
            whole: settings.PROVIDER_WINDOWS[provider],
        }
        for provider, whole in wholes.items()
    }


def _keep(path: Path, events: list[journal.Event]) -> Path:
    path.write_bytes(b"\n".join(orjson.dumps(event) for event in events))
    return path
