"""Read metrics over HTTP, on a Tuesday in November."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User

from sync.models import Account
from tests.integration.api_callers import Answer, Caller, by_token

PATH, TOTALS = "/api/insights", "/api/insights/totals"
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)  # a Tuesday
NOVEMBER = {"from": "2026-11-01", "to": "2026-11-20"}
CAMPAIGNS = {"level": "campaign", **NOVEMBER}


def day(number: int) -> date:
    return date(2026, 11, number)


@pytest.fixture(autouse=True)
def _now() -> Any:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def caller(account: Account, victor: User) -> Caller:
    return by_token(victor, account)


def read(caller: Caller, path: str = PATH, **query: str) -> Any:
    answer = caller.get(path, **{**CAMPAIGNS, **query})
    assert answer.status == 200, answer.body
    return answer.body


def refused(answer: Answer) -> tuple[str, str]:
    """Field and message of a 400's first detail."""
    assert answer.status == 400, answer.body
    detail = answer.body["details"][0]
    return detail["field"].split(".")[0], detail["message"]
