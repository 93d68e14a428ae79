"""What does it cost to take one of Google's operations from PostgreSQL, on an empty day and on a full one?

Run: `python -m benchmarks.google_takes [--calls 2000] [--accounts 1000] [--rounds 3]`. A day that is full
has a row for each of its 1,441 minutes and, of each account, one for every quarter of an hour. Beside it
a commit of one UPDATE, which is what any counter in PostgreSQL costs at least.
"""

from collections.abc import Callable
from functools import partial

from benchmarks.harness import rows
from benchmarks.harness.clients import Act, measure
from benchmarks.harness.options import options
from benchmarks.harness.product import execute, ready_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from sync.google.operations import Operations
from sync.google.quota import Quota
from sync.models import Account, GoogleProject, OperationCount

PROJECT = "benchmark"
LIMIT = 10**9  # more than are taken here
FULL_DAY = """
    INSERT INTO sync_operationcount (project, subject, until, calls)
    SELECT %(project)s, '', date_trunc('minute', now()) - minute * interval '1 minute', 10
    FROM generate_series(1, 1440) minute
    UNION ALL
    SELECT %(project)s, id::text, date_trunc('minute', now()) - quarter * interval '15 minutes', 3
    FROM sync_account, generate_series(1, 95) quarter
"""


def main() -> None:
    asked = options(__doc__, calls=(2_000, 20), accounts=(1_000, 10))
    report = Report("google_takes")
    ready_database()
    rows.empty(slots=1)
    Account.objects.bulk_create(Account(name=str(number)) for number in range(asked.accounts))
    kinds = {"one UPDATE": (_update, False), "an empty day": (_take, False), "a full day": (_take, True)}
    contenders = [
        Contender(
            f"{name}; {clients} client{'s' * (clients > 1)}", partial(_round, *kind, asked.calls, clients)
        )
        for clients in (1, 8)
        for name, kind in kinds.items()
    ]
    found = interleave(contenders, rounds=asked.rounds)
    report.compare_all("take", found, bases=[contenders[0].name, contenders[3].name])
    report.save()


def _round(make: Callable[[], Act], full: bool, calls: int, clients: int) -> dict[str, float]:
    """All clients at once, each in a process of its own."""
    OperationCount.objects.all().delete()
    GoogleProject.objects.get_or_create(name=PROJECT)
    if full:
        execute(FULL_DAY, {"project": PROJECT})
    execute("VACUUM ANALYZE sync_operationcount")
    return measure(make, calls, clients)


def _take() -> Act:
    account = Account.objects.order_by("?")[0]
    quota = Quota.of(LIMIT, reserve=0.0, weight=1, weights=1)
    ledger = Operations(PROJECT, account, quota, background=False)
    return lambda: ledger.take("ticket")


def _update() -> Act:
    return lambda: execute("UPDATE sync_googleproject SET weights = weights + 1")


if __name__ == "__main__":
    main()
