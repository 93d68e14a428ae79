"""How a worker stops: its children end their pages and give their runs back, then it exits.

SIGTERM and SIGINT are Celery's warm shutdown, which waits for the children without bound. So they are
told to stop, and after `STOP_SECONDS` they are killed; then the parent gives back what they held.
"""

import os
import signal
import threading
from contextlib import suppress
from typing import Any

import structlog
from celery.signals import worker_ready, worker_shutting_down
from celery.worker import state
from django.conf import settings
from django.db import DatabaseError, connection

from sync.engine.stopping import ask_to_stop
from sync.ledger.recover import take_back
from sync.models import SyncRun

logger = structlog.get_logger(__name__)

GIVE_BACK_SECONDS = 5  # for a database beside us that may be the one that hangs

celery_state: Any = state  # its own annotations know no exit codes
_consumers: list[Any] = []  # the one of this process, once it takes messages


@worker_ready.connect
def on_worker_ready(sender: Any, **_: Any) -> None:
    """From now on there are children to tell."""
    _consumers.append(sender)


@worker_shutting_down.connect
def on_worker_shutting_down(sender: str, how: str, exitcode: int = 0, **_: Any) -> None:
    """A signal came. At the first, Celery waits for its children; at a second Ctrl-C it has ended them."""
    if how == "Warm":
        _stop_within_bounds(exitcode)
    else:
        give_back(sender)


def stop(exitcode: int) -> None:
    """The same from a thread of the parent, with an exit code that makes its supervisor start it anew."""
    _stop_within_bounds(exitcode)
    celery_state.should_stop = exitcode  # what Celery's own handler does; its loop looks here


def _stop_within_bounds(exitcode: int) -> None:
    ask_to_stop()
    bound = threading.Timer(settings.STOP_SECONDS, _kill, args=(exitcode,))
    bound.daemon = True  # no reason to stay when all ended in time
    bound.start()


def _kill(exitcode: int) -> None:
    """Whoever still reads its page now is stuck, or the parent itself is."""
    last = threading.Timer(GIVE_BACK_SECONDS, os._exit, args=(exitcode or os.EX_SOFTWARE,))
    last.daemon = True
    last.start()
    for consumer in _consumers:
        logger.error("worker killed", worker=consumer.hostname, reason="it did not stop in time")
        for pid in consumer.pool.info["processes"]:
            with suppress(ProcessLookupError):  # ended a moment ago
                os.kill(pid, signal.SIGKILL)
        give_back(consumer.hostname)
    os._exit(exitcode or os.EX_SOFTWARE)


def give_back(worker: str) -> None:
    """Take back what a worker without children still holds; where that fails, the leases run out."""
    try:
        take_back(SyncRun.objects.running().filter(worker=worker))
    except DatabaseError as exc:
        logger.warning("runs not given back", worker=worker, error=type(exc).__name__)
    finally:
        connection.close()
