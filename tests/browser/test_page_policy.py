"""In a real browser every page does with what the Content-Security-Policy allows, and no more than that.

The fixture `page` fails each browser test whose pages break the policy.
"""

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.urls import reverse
from playwright.sync_api import Page, expect

from sync.admin.words import listing
from sync.admin.words import page as page_of
from tests.browser.test_journey import sign_in
from tests.integration.admin_rows import ADDABLE, one_of_each

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

HEADER = "content-security-policy"


@pytest.fixture
def rows(admin_user: User) -> dict[type[Model], Model]:
    return one_of_each(admin_user)


def opens(page: Page, url: str, status: int = 200) -> None:
    answer = page.goto(url)
    assert answer
    assert answer.status == status, url
    assert "'unsafe-inline'" not in answer.headers[HEADER].split("script-src")[1].split(";")[0]


def test_pages_of_the_admin(rows: dict[type[Model], Model], page: Page) -> None:
    urls = [url for model, row in rows.items() for url in (listing(model), page_of(row))]
    sign_in(page)

    for url in urls + [f"{listing(model)}add/" for model in ADDABLE]:
        opens(page, url)


def test_the_page_of_the_api(admin_user: User, page: Page) -> None:
    sign_in(page)
    opens(page, reverse("api-docs"))

    page.get_by_text("/api/sync/manual").first.click()
    expect(page.get_by_text("Something is wrong with the request").first).to_be_visible()


def test_a_script_that_somebody_put_into_a_page_does_not_run(
    admin_user: User, page: Page, breaches: list[str]
) -> None:
    sign_in(page)
    page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "document.title = 'taken over'";
            document.head.append(script);
        }"""
    )

    assert page.title() != "taken over"
    assert [breach for breach in breaches if "script-src" in breach]
    breaches.clear()
