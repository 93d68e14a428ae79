"""An operator pauses a shop, and sends back what failed, all of one cause at once."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from sync.models import Account
from sync.models.choices import RunState
from tests.browser.test_journey import go_to, sign_in
from tests.factories import make_connection, make_run

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

DENIED = {
    "error_category": "API_ERROR",
    "error_code": "access_denied",
    "platform_code": "200",
    "error_message": "The ad account is not permitted to the grant.",
    "trace_id": "AbTrace1",
}
DEFECT = {"error_category": "UNKNOWN", "error_code": "defect", "error_message": "AdTiger failed itself."}


@pytest.fixture
def failures(account: Account) -> None:
    """Three syncs that one cause ended, and one of another's."""
    for name in ("Boots", "Hats", "Gloves"):
        make_run(make_connection(account, name=name), state=RunState.FAILED, **DENIED)
    make_run(make_connection(account, name="Socks"), state=RunState.FAILED, **DEFECT)


def test_an_operator_replays_all_dead_letters_of_a_cause(
    admin_user: User, failures: None, page: Page
) -> None:
    sign_in(page)
    go_to(page, "Dead letters")
    expect(page.get_by_text("4 dead letters")).to_be_visible()

    page.get_by_role("link", name="access_denied 200").first.click()
    expect(page.locator("#result_list tbody tr")).to_have_count(3)
    page.locator("#action-toggle").check()
    page.locator("select[name=action]").select_option(label="Replay the selected")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Sent back 3: 10 a minute of each provider")).to_be_visible()

    go_to(page, "Dead letters")
    expect(page.get_by_text("1 dead letter")).to_be_visible()
    page.locator("#result_list tbody a").first.click()
    page.locator("a", has_text="Resolve").click()
    page.get_by_label("Reason (optional)").fill("Known, and mended")
    page.get_by_role("button", name="Mark as resolved").click()
    expect(page.get_by_text("Resolved 1.")).to_be_visible()
    expect(page.locator("#interventions-group")).to_contain_text("Known, and mended")


def test_an_operator_pauses_a_shop_and_says_why(admin_user: User, failures: None, page: Page) -> None:
    sign_in(page)
    go_to(page, "Connections")
    page.get_by_text("Boots").click()
    page.locator("a", has_text="Pause").click()
    page.get_by_label("Reason (optional)").fill("The shop moves")
    page.get_by_role("button", name="Pause").click()
    expect(page.get_by_text("by admin: The shop moves")).to_be_visible()

    page.locator("a", has_text="Resume").click()
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text("Resumed Meta Boots.")).to_be_visible()
    expect(page.get_by_text("by admin: The shop moves")).to_have_count(0)

    go_to(page, "Interventions")
    expect(page.locator("#result_list tbody tr")).to_have_count(2)
    expect(page.locator("#result_list")).to_contain_text("The shop moves")
