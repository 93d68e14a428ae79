"""A page with odd rows through the whole engine: the sync succeeds, and what is readable is stored."""

import logging
from typing import Any

import pytest

from sync.engine.drain import drain
from sync.ledger.request import request_sync
from sync.models import Account, Campaign, SyncRun
from sync.models.choices import RunState, Trigger
from tests.factories import make_connection
from tests.integration.scripted_server import scripted_server
from tests.platforms import ROOMY

# As bytes: no encoder of ours would write the third name, nor a bare byte of Latin-1.
CAMPAIGNS = rb"""{"data": [
    {"id": "1", "name": "Spring", "status": "ACTIVE", "effective_status": "ACTIVE", "daily_budget": "500"},
    {"id": "2", "name": null, "status": "ACTIVE", "effective_status": null, "daily_budget": "a lot"},
    {"id": "3", "name": "half \ud800 a pair", "status": "PAUSED", "start_time": "soon"},
    {"id": "4", "name": "nul \u0000", "status": {"is": "new"}, "objective": ["A", "B"]},
    {"id": "5", "name": "caf%s", "status": "ACTIVE"},
    {"id": 6, "name": 6},
    {"name": "without an id"},
    null
]}""".replace(b"%s", b"\xe9")


def test_odd_rows_fail_no_page(account: Account, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    connection = make_connection(account)
    settings.CONNECTION_WINDOWS = {"meta": ROOMY, "google": ROOMY}
    with scripted_server() as script:
        settings.META_GRAPH_URL = script.url
        script.answers(CAMPAIGNS, {"data": []})
        request_sync(account, [connection], trigger=Trigger.MANUAL, source="api")
        with caplog.at_level(logging.WARNING):
            drain("meta", "default", worker="test")

    run = SyncRun.objects.get()
    assert (run.state, run.campaigns_count) == (RunState.SUCCEEDED, 6)
    stored = {row.external_id: row for row in Campaign.objects.all()}
    assert [stored[str(number)].name for number in range(1, 7)] == [
        "Spring",
        "",
        "half \ufffd a pair",
        "nul \ufffd",
        "caf\ufffd",
        "6",
    ]
    assert stored["1"].daily_budget_micros == 5_000_000
    assert (stored["2"].daily_budget_micros, stored["3"].starts_at) == (None, None)
    told = {record.message: record.__dict__ for record in caplog.records}
    assert told["odd values"]["count"] > 5
    assert "answer mended" in told
