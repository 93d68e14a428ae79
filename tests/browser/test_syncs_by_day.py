"""A connection's page draws how its syncs ended by day."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from sync.admin.words import page as page_of
from sync.models import Connection, DailyStatistic
from sync.models.choices import RunState
from sync.schedule.cleanup import clean_up
from tests.browser.test_journey import sign_in
from tests.factories import make_account, make_connection, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# What Chart.js drew on the canvas; without it there is nothing.
BARS = "Chart.getChart(document.querySelector('.chart')).data.datasets.map(one => [one.label, one.data])"


@pytest.fixture
def connection() -> Connection:
    """With one sync of today, and two of a day that is counted already."""
    connection, now = make_connection(make_account()), timezone.now()
    for days, state in ((2, RunState.SUCCEEDED), (2, RunState.FAILED), (0, RunState.SUCCEEDED)):
        make_run(connection, state=state, finished_at=now - timedelta(days=days))
    clean_up()
    assert DailyStatistic.objects.count() == 1
    return connection


def test_bars_of_what_is_counted_and_of_today(admin_user: User, connection: Connection, page: Page) -> None:
    sign_in(page)
    page.goto(page_of(connection))

    expect(page.get_by_text("66.7 % of 3 syncs since")).to_be_visible()
    bars = dict(page.evaluate(BARS))
    assert (bars["Succeeded"][-3:], bars["Failed"][-3:]) == ([1, 0, 1], [1, 0, 0])
