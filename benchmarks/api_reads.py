"""Do the API's lists slow down as their tables grow? Pages of ads, metrics, changes and runs, and an export;
few rows in each table against many.

Run: `python -m benchmarks.api_reads [--rows 1000000] [--few 10000]`. Two databases of five tenants with four
ad accounts each, filled by SQL and asked in turn by one tenant; they are dropped at the end.
"""

import time
from collections.abc import Iterator
from functools import partial
from typing import Any, NamedTuple

from benchmarks.harness import copied
from benchmarks.harness.act import alone
from benchmarks.harness.caller import Caller
from benchmarks.harness.options import options
from benchmarks.harness.product import drop_database, ready_database, use_database
from benchmarks.harness.report import Report
from benchmarks.harness.rounds import Contender, interleave
from benchmarks.harness.timed import median
from sync.models import Account, Ad

FEW, MANY = "adtiger_bench_fewer", "adtiger_bench_more"
ADS, METRICS, TOTALS = "/api/ads", "/api/insights", "/api/insights/totals"
CHANGES, RUNS = "/api/changes", "/api/runs"
DEEP = 100  # pages of 500 into a list, or to its middle
LINES, MEMORY = "lines a second", "MB above an idle process"

Query = dict[str, Any]


class Question(NamedTuple):
    """One request."""

    what: str
    path: str
    query: Query
    is_deep: bool = False  # asked from deep in the list, too
    grows: bool = False  # what it has to look at is a share of the table


def main() -> None:
    asked = options(__doc__, rows=(1_000_000, 20_000), few=(10_000, 8_000), times=(20, 2))
    report = Report("api_reads")
    tenants = {}
    try:
        for name, count in ((FEW, asked.few), (MANY, asked.rows)):
            begun = time.perf_counter()
            ready_database(name)
            tenants[name] = Tenant(name, copied.fill(count))
            report.note(f"{name}: {count:,} rows a table, filled in {time.perf_counter() - begun:.0f} s")
        for title, act in (
            ("a page of 50, or what is told", partial(Tenant.ask, grows=False, times=asked.times)),
            ("a share of the table looked at", partial(Tenant.ask, grows=True, times=asked.times)),
        ):
            contenders = [Contender(name, partial(act, tenant)) for name, tenant in tenants.items()]
            found = interleave(contenders, rounds=asked.rounds)
            report.pairs(title, "ms", {what: (each[FEW], each[MANY]) for what, each in found.items()})
        exports = [Contender(name, tenant.export) for name, tenant in tenants.items()]
        for unit, each in interleave(exports, rounds=asked.rounds).items():
            few, many = (f"{tenant.exported:,}" for tenant in tenants.values())
            report.pairs(f"CSV of {few} and {many} ads", unit, {"export": (each[FEW], each[MANY])})
        report.save()
    finally:
        for name in (FEW, MANY):
            drop_database(name)


class Tenant:
    """Who asks, in one of the databases."""

    def __init__(self, name: str, account: Account) -> None:
        self._name, self._caller = name, Caller(account)
        own = Ad.objects.filter(connection__account=account)
        self._some = own.filter(removed_at=None).order_by("connection_id", "pk")[1]
        self._ids = ",".join(own.order_by("pk").values_list("external_id", flat=True)[:20])
        of_two = account.connections.order_by("pk").values_list("pk", flat=True)[:2]
        self._of_two = {"connection": ",".join(map(str, of_two)), "removed": "all"}
        self.exported = own.filter(connection__in=of_two).count()
        self._deep = {one.what: self._place(one) for one in self._questions() if one.is_deep}

    def ask(self, *, grows: bool, times: int) -> dict[str, float]:
        """The medians of a round, in ms, each with its number of statements."""
        use_database(self._name)
        return dict(
            figure for one in self._questions() if one.grows == grows for figure in self._figures(one, times)
        )

    def export(self) -> dict[str, float]:
        """Of half of its ads."""
        use_database(self._name)
        seconds, memory = alone(partial(self._caller.csv_lines, ADS, **self._of_two))
        return {LINES: self.exported / seconds, MEMORY: memory}

    def _questions(self) -> Iterator[Question]:
        some = self._some
        one = {"connection": str(some.connection_id)}
        month = {"level": "ad", "range": "last_28d"}
        yield Question("ads", ADS, {}, is_deep=True)
        yield Question("ads, three fields", ADS, {"fields": "id,name,status"})
        yield Question("ads of an ad account", ADS, one)
        yield Question("ads that are paused", ADS, {"status": "paused"})
        yield Question("ads that are removed", ADS, {"removed": "true"})
        yield Question("ads of an ad group", ADS, {"adGroup": some.ad_group_external_id})
        yield Question("ads by 20 ids", ADS, {"id": self._ids})
        yield Question("one ad", f"{ADS}/{some.external_id}", {})
        yield Question("metrics of 28 days", METRICS, month, is_deep=True)
        yield Question("changes", CHANGES, {}, is_deep=True)
        yield Question("changes of an ad", CHANGES, {"entity": "ad", "entityId": some.external_id})
        yield Question("runs", RUNS, {}, is_deep=True)
        yield Question("runs of an ad account", RUNS, one)
        yield Question("ads by name, backwards", ADS, {**one, "ordering": "-name"}, grows=True)
        yield Question("ads with 99 in their name", ADS, {**one, "search": "99"}, grows=True)
        yield Question("metrics by spend", METRICS, {**month, **one, "ordering": "-spendMicros"}, grows=True)
        yield Question("28 days' totals", TOTALS, {**month, **one, "by": "day"}, grows=True)

    def _figures(self, one: Question, times: int) -> Iterator[tuple[str, float]]:
        places = {"": {}, ", deep": self._deep[one.what]} if one.is_deep else {"": {}}
        for place, cursor in places.items():
            query = one.query | cursor
            statements = self._caller.queries(one.path, **query)
            taken = median(partial(self._caller.get, one.path, **query), times)
            yield f"{one.what}{place} ({statements} statements)", taken

    def _place(self, one: Question) -> Query:
        """Of a page deep in the list."""
        cursors = [cursor for _, cursor in zip(range(2 * DEEP), self._cursors(one), strict=False)]
        return {"cursor": cursors[len(cursors) // 2]}

    def _cursors(self, one: Question) -> Iterator[str]:
        cursor: Query = {}
        while word := self._caller.get(one.path, pageSize=500, **one.query, **cursor)["nextCursor"]:
            yield word
            cursor = {"cursor": word}


if __name__ == "__main__":
    main()
