"""Hints are few, and one that got lost is sent again: a bound that never opened would stop a queue."""

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from sync.ledger import nudge as hints
from sync.ledger.nudge import hint_taken, nudge
from sync.models import Queue
from tests.processes import eventually

SLOTS = 3
QUEUE = "adtiger:sync.meta"  # its most urgent messages, where the broker keeps them


@pytest.fixture
def broker(db: None) -> Iterator[redis.Redis]:
    Queue.objects.create(provider="meta", region="default", concurrency=SLOTS)
    with redis.Redis.from_url(settings.CELERY_BROKER_URL) as client:
        yield client


def send(times: int = 1) -> list[bool]:
    return [nudge("meta", "default", priority=0) for _ in range(times)]


def test_no_more_hints_are_outstanding_than_there_are_slots(broker: redis.Redis) -> None:
    assert send(5) == [True] * SLOTS + [False] * 2
    assert broker.llen(QUEUE) == SLOTS


def test_a_hint_that_was_taken_makes_room_for_the_next(broker: redis.Redis) -> None:
    send(SLOTS)
    hint_taken("hint:sync.meta:1")
    assert send(2) == [True, False]


def test_a_hint_that_got_lost_is_sent_again_once_it_expired(
    broker: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hints, "HINT_SECONDS", 1)
    send(SLOTS)
    broker.delete(QUEUE)
    assert send() == [False]

    eventually(lambda: send() == [True], seconds=10, what="the next hint")
