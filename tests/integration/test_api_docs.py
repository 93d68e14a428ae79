"""Each example of the data in docs/api.md is run, and answers with the fields that the page shows."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User

from sync.models import Account
from sync.models.choices import RunState
from tests.factories import (
    make_ad,
    make_ad_group,
    make_campaign,
    make_change,
    make_complete,
    make_connection,
    make_insight,
    make_run,
)
from tests.integration.api_callers import by_token

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
SECTION = re.search(r"\n## Read the data\n(.*?)\n## ", PAGE.read_text(), re.DOTALL)
assert SECTION
CALL = re.compile(r'curl "\$ADTIGER(/api/[^"]+)"')
SHOWN = re.compile(r"```sh\n([^`]+)```\n\n```json\n([^`]+)```")
CALLS = CALL.findall(SECTION[1])
ANSWERS = [(CALL.findall(call)[0], json.loads(body)) for call, body in SHOWN.findall(SECTION[1])]
CAMPAIGN, AD_GROUP = "120210000000000001", "120210000000000002"


@pytest.fixture(autouse=True)
def copied(account: Account) -> Iterator[None]:
    """What the examples speak of, on the day of which they speak."""
    with time_machine.travel(datetime(2026, 11, 24, 18, 30, tzinfo=UTC)):
        shop = make_connection(account, name="Shop")
        summer = datetime(2026, 5, 1, 8, tzinfo=UTC)
        make_campaign(shop, external_id=CAMPAIGN, name="Summer", platform_created_at=summer)
        make_ad_group(shop, external_id=AD_GROUP, campaign_external_id=CAMPAIGN)
        make_change(shop, external_id=CAMPAIGN, field="daily_budget_micros", old=20_000_000, new=25_000_000)
        make_run(shop, state=RunState.FAILED)
        for at in (date(2026, 11, 22), date(2026, 11, 23)):
            make_insight(shop, external_id=CAMPAIGN, day=at, campaign_external_id=CAMPAIGN)
        make_complete(shop, *(date(2026, 11, number) for number in range(1, 23)))
        make_ad(shop, campaign_external_id=CAMPAIGN, ad_group_external_id=AD_GROUP)
        yield


def test_there_are_examples() -> None:
    assert len(CALLS) >= 5
    assert len(ANSWERS) >= 2


@pytest.mark.parametrize("path", CALLS)
def test_an_example_works(path: str, victor: User, account: Account) -> None:
    caller = by_token(victor, account)

    response = caller.client.get(path, headers=caller.headers)

    assert response.status_code == 200, response.content
    if "format=csv" in path:
        assert response.getvalue().count(b"\n") > 1
    else:
        assert response.json().get("results") != []


@pytest.mark.parametrize(("path", "shown"), ANSWERS, ids=[path for path, _ in ANSWERS])
def test_an_answer_has_the_fields_that_are_shown(
    path: str, shown: Any, victor: User, account: Account
) -> None:
    caller = by_token(victor, account)

    body = caller.client.get(path, headers=caller.headers).json()

    assert names(body) == names(shown)


def names(value: Any) -> Any:
    """The fields, in order, of an answer and of its first rows."""
    if isinstance(value, dict):
        return {name: names(inner) for name, inner in value.items() if name != "detectedChanges"}
    if isinstance(value, list):
        return [names(inner) for inner in value[:1]]
    return None
