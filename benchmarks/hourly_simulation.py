"""An hourly round of 1,000 and 10,000 connections by simulated time: to drain, and slots for an hour.

Run: `python -m benchmarks.hourly_simulation [--connections 1000] [--many 10000] [--calls 3]`. Real are the
ledger's and the budgets' decisions, with the default limits; simulated are the clock, the platform's calls
of 0.3 to 1.5 s, and the worker, whose own share of a run is measured first. Then a simulated round is put
beside a real one of `--real 60` connections. Google's connections follow their schedule for `--hours 6`.
"""

import math
from functools import partial

from django.conf import settings
from django.utils import timezone

from benchmarks.harness import rows
from benchmarks.harness.clock import SimulatedClock, simulated_clock
from benchmarks.harness.options import options
from benchmarks.harness.platform import Platform, open_platform
from benchmarks.harness.product import forget_keys, ready_database
from benchmarks.harness.report import Report, number
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.harness.simulation import Outcome, Simulation, Work
from benchmarks.hourly_round import LATENCY, PER_TENANT, one_round
from sync.google.operations import used_operations
from sync.google.pace import measure
from sync.google.project import project_name
from sync.models import Connection, GoogleProject, OperationCount
from sync.models.choices import Provider
from sync.schedule.hourly import request_due

SIMULATED = "adtiger_bench_simulated"
REAL_LATENCY = (0.3, 1.5)  # seconds of a call
SLOWER = 3  # times the latency at which the worker was measured: what is compared is not what was fitted
LONG = 12  # calls: more than an ad account may make in a minute
HOUR, MINUTE = 3600, 60
NO_TOKEN = "never-used"


def main() -> None:
    asked = options(
        __doc__, connections=(1_000, 20), many=(10_000, 40), calls=(3, 2), real=(60, 4), hours=(6, 1)
    )
    report = Report("hourly_simulation")
    own = _validate(report, connections=asked.real, rounds=asked.rounds)
    work = Work(asked.calls, REAL_LATENCY, own)
    _meta(
        report,
        [
            (asked.connections, work),
            (asked.many, work),
            (asked.connections, work._replace(calls=LONG, own=own / asked.calls * LONG)),
        ],
    )
    _google(report, work, [asked.connections, asked.many], hours=asked.hours)
    report.save()


def _validate(report: Report, *, connections: int, rounds: int) -> float:
    """A simulated round beside a real one. The worker's own seconds in a run, as measured before."""
    slots = settings.CONCURRENCY["meta"]
    ready_database()
    with open_platform(accounts=connections, campaigns=2, ad_groups=4, ads=8) as platform:
        mean = _slow(platform, 1)
        measured = one_round(platform, mean_latency=mean)
        calls = round(measured["calls a run"])
        own = max(0.0, measured["seconds to drain"] * slots / connections - calls * mean)
        mean = _slow(platform, SLOWER)
        low, high = (bound * SLOWER / 1000 for bound in LATENCY)
        work = Work(calls, (low, high), own)
        contenders = [
            Contender("real", partial(_real, platform, mean)),
            Contender("simulated", lambda: {"seconds to drain": _drain(connections, work, slots).drained_at}),
        ]
        found = interleave(contenders, rounds=rounds)
    report.note(f"The worker's own share of a run: {1000 * own:.0f} ms.")
    report.compare_all(f"{connections} connections, {1000 * mean:.0f} ms a call", found, bases=["real"])
    return own


def _slow(platform: Platform, factor: int) -> float:
    """Let the platform take so many times as long for a call; the mean in seconds."""
    low, high = (bound * factor for bound in LATENCY)
    platform.sandbox.control("settings", latency={"meta": f"{low}-{high}"})
    return (low + high) / 2000


def _real(platform: Platform, mean_latency: float) -> dict[str, float]:
    ready_database()
    return {"seconds to drain": one_round(platform, mean_latency=mean_latency)["seconds to drain"]}


def _meta(report: Report, rounds: list[tuple[int, Work]]) -> None:
    """All at once, as in the real round."""
    slots, table, figures = settings.CONCURRENCY["meta"], [], []
    for connections, work in rounds:
        outcome = _drain(connections, work, slots)
        enough = math.ceil(connections * (work.calls * sum(work.latency) / 2 + work.own) / HOUR)
        within = outcome if enough == slots else _drain(connections, work, enough)
        while within.drained_at > HOUR:
            enough += 1
            within = _drain(connections, work, enough)
        row = {
            "calls a run": f"{work.calls}",
            f"minutes to drain with {slots} slots": number(outcome.drained_at / MINUTE),
            "% of the slots' time used": number(100 * outcome.busy / (slots * outcome.drained_at)),
            "deferred": f"{outcome.deferred:,}",
            "slots for an hour": f"{enough}",
            "minutes with these": number(within.drained_at / MINUTE),
        }
        table.append([f"{connections:,}", *row.values()])
        figures.append({"connections": connections, **row})
    report.table(["Meta, connections", *row], table, figures)


def _drain(connections: int, work: Work, slots: int) -> Outcome:
    ready_database(SIMULATED)
    forget_keys()
    with simulated_clock() as clock:
        rows.empty(slots=slots)
        ids = [f"act_{number}" for number in range(1, connections + 1)]
        rows.connections(ids, tenants=max(1, connections // PER_TENANT), secret=NO_TOKEN)
        rows.queue_runs()
        outcome = Simulation(clock, Provider.META, work, slots=slots).run()
    assert outcome.ended == connections, f"{connections - outcome.ended} were never done"
    return outcome


def _google(report: Report, work: Work, sizes: list[int], *, hours: int) -> None:
    """By the schedule: their day is too short for an hourly round of many."""
    slots, table, figures = settings.CONCURRENCY["google"], [], []
    for connections in sizes:
        ready_database(SIMULATED)
        forget_keys()
        with simulated_clock() as clock:
            _google_rows(connections, slots)
            simulation = Simulation(clock, Provider.GOOGLE, work, slots=slots)
            _request_every_minute(simulation, clock)
            outcome = simulation.run(until=hours * HOUR)
            row = {
                "hours between two syncs": number(measure().interval.total_seconds() / HOUR),
                f"runs in {hours} h": f"{outcome.ended:,}",
                "operations": f"{used_operations(project_name()):,}",
                "deferred": f"{outcome.deferred:,}",
                "longest wait, s": number(outcome.longest_wait),
                "% of the slot's time used": number(100 * outcome.busy / (slots * hours * HOUR)),
            }
        table.append([f"{connections:,}", *row.values()])
        figures.append({"connections": connections, **row})
    report.table(["Google, connections", *row], table, figures)


def _google_rows(connections: int, slots: int) -> None:
    """Each with its slot ahead of it, as if it had been synced for long."""
    GoogleProject.objects.all().delete()
    OperationCount.objects.all().delete()
    rows.empty(slots=slots, provider=Provider.GOOGLE)
    ids = [f"{number:010}" for number in range(1, connections + 1)]
    rows.connections(
        ids, tenants=max(1, connections // PER_TENANT), secret=NO_TOKEN, provider=Provider.GOOGLE
    )
    now, every = timezone.now(), measure().interval
    known = list(Connection.objects.all())
    for connection in known:
        slot = connection.slot_after(now - every, every)
        connection.next_sync_at = slot if slot > now else slot + every
    Connection.objects.bulk_update(known, ["next_sync_at"], batch_size=1_000)


def _request_every_minute(simulation: Simulation, clock: SimulatedClock) -> None:
    """As beat does."""
    request_due(clock.now)
    simulation.fill_slots()
    simulation.after(MINUTE, partial(_request_every_minute, simulation, clock))


if __name__ == "__main__":
    main()
