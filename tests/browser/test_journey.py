"""An operator's way through the admin, with everything real: browser, web server, worker, sandbox."""

import time
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Locator, Page, expect

from sync.models import Connection

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SYNC_SECONDS = 60  # a busy machine, and the worker's own start


def sign_in(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("password")
    page.get_by_role("button", name="Log in").click()


def go_to(page: Page, title: str) -> None:
    """Use the sidebar."""
    page.locator("#nav-sidebar-apps").get_by_text(title, exact=True).click()


def reload_until(page: Page, text: str, *, times: int) -> None:
    """Until so many of the list's rows say so."""
    deadline = time.monotonic() + SYNC_SECONDS
    while page.locator("#result_list").inner_text().count(text) < times:
        assert time.monotonic() < deadline, page.locator("#result_list").inner_text()
        page.wait_for_timeout(300)
        page.reload()


def shown(page: Page, label: str) -> Locator:
    """The value beside a label of a row's page."""
    return page.locator(".field-line", has_text=label).locator(".readonly")


def test_an_operator_starts_a_sync_and_reads_its_story(
    admin_user: User, shop: Connection, worker: None, page: Page
) -> None:
    hosts: set[str] = set()
    faults: list[str] = []
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.on("pageerror", lambda error: faults.append(str(error)))

    sign_in(page)
    expect(page.get_by_text("no real ad account is read")).to_be_visible()

    go_to(page, "Connections")
    page.get_by_text("Corner Shop").click()
    page.locator("a", has_text="Sync now").click()
    page.get_by_role("button", name="Start the sync").click()
    expect(page.get_by_text("Started 2 syncs.")).to_be_visible()  # what there is, and its metrics

    go_to(page, "Sync history")
    reload_until(page, "SUCCEEDED", times=2)
    expect(page.locator("#result_list")).to_contain_text("100 %")

    campaigns = page.locator("#result_list tbody tr", has_text="Campaigns")
    campaigns.locator("a").first.click()
    expect(shown(page, "Requested by")).to_have_text("admin, through admin")
    expect(shown(page, "Campaigns count")).to_have_text("3")
    expect(shown(page, "Ad groups count")).to_have_text("6")
    expect(shown(page, "Ads count")).to_have_text("20")
    expect(page.locator("#attempts-group")).to_contain_text("Succeeded")

    assert hosts == {urlsplit(page.url).netloc}
    assert faults == []
