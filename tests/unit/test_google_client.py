"""What the client makes of rows that the sandbox never sends, and how much it holds at a time."""

import tracemalloc
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

from providers.base import AdAccountRef, Grant, Selection
from providers.google.calls import Calls
from providers.google.client import GoogleClient
from providers.google.config import GoogleConfig
from providers.google.stream import Row
from providers.records import InsightSlice, Level, Stream
from providers.session import Session

CHUNK = 60  # rows
Answers = Callable[[Iterator[list[Row]]], GoogleClient]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answers:
    """A client whose next query is answered with these chunks."""

    def make(chunks: Iterator[list[Row]]) -> GoogleClient:
        monkeypatch.setattr(Calls, "query", lambda *_: chunks)
        return GoogleClient(
            GoogleConfig(),
            Grant(""),
            AdAccountRef("1", "EUR", "UTC"),
            gate=NoGate(),
            session=Session(),
            page_size=CHUNK,
            clock=datetime(2026, 11, 20, tzinfo=UTC).timestamp,
        )

    return make


class NoGate:
    """Nothing is called."""

    def take(self, use_case: str = "") -> str:
        raise AssertionError

    def settle(self, ticket: str, usage: object) -> None:
        raise AssertionError


def ad(group: int, number: int) -> Row:
    link = {"ad": {"id": str(number)}, "status": "ENABLED"}
    return {"adGroupAd": link, "adGroup": {"id": str(group)}, "campaign": {"id": "22"}}


def test_the_same_ad_in_another_group_is_another_ad(answering: Answers) -> None:
    client = answering(iter([[ad(33, 44), ad(35, 44)], [ad(35, 45)]]))

    (page,) = client.pages(Stream.ADS, selection=Selection(ad_ids=("33~44", "35~45")))

    assert [record.external_id for record in page.records] == ["33~44", "35~45"]


def metrics(count: int) -> Iterator[list[Row]]:
    """So many chunks of an ad's metrics, made as they are read."""
    for chunk in range(count):
        yield [
            ad(33, chunk * CHUNK + number)
            | {"segments": {"date": "2026-10-20"}, "metrics": {"clicks": "7", "conversions": 2.5}}
            for number in range(CHUNK)
        ]


def peak(client: GoogleClient) -> int:
    """Bytes held at most while all pages pass."""
    slice = InsightSlice(Level.AD, date(2026, 10, 20), date(2026, 10, 20))
    tracemalloc.start()
    for page in client.insights(slice):
        del page
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return held


def test_memory_does_not_grow_with_the_rows(answering: Answers) -> None:
    peak(answering(metrics(2)))  # what is made once

    assert peak(answering(metrics(24))) < 2 * peak(answering(metrics(6)))
