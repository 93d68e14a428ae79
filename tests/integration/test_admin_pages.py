"""Every page of the admin opens with data, loads nothing from elsewhere, and holds no stored token."""

from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection as database
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from sync.admin.navigation import GROUPS
from sync.admin.words import listing, page
from sync.models import (
    Account,
    Ad,
    AdGroup,
    Campaign,
    Change,
    Connection,
    Credential,
    DeadLetter,
    Plan,
    SyncRequest,
    SyncRun,
)
from sync.models.choices import (
    ENDED,
    ConnectionStatus,
    Health,
    Kind,
    RunState,
    Trigger,
)
from tests.factories import make_account, make_connection, make_run
from tests.integration.admin_rows import ADDABLE, make_rows, one_of_each

SECRET = "secret-token"  # what the factories store, encrypted
REGISTERED = sorted(admin.site._registry, key=lambda model: model.__name__)


class Loads(HTMLParser):
    """The hosts of everything that a page refers to."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.hosts: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href", "srcset", "action", "hx-get", "hx-post", "poster", "data"):
                self.hosts.add(urlsplit(value or "").netloc)


@pytest.fixture
def rows(admin_user: User) -> dict[type[Model], Model]:
    return one_of_each(admin_user)


def test_every_registered_model_has_a_row_here(rows: dict[type[Model], Model]) -> None:
    assert set(rows) == set(REGISTERED)


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_list_and_page_open(admin_client: Client, rows: dict[type[Model], Model], model: type[Model]) -> None:
    for url in (listing(model), page(rows[model])):
        html = get(admin_client, url)

        assert Loads(html).hosts <= {"", "testserver"}
        assert SECRET not in html
        assert "encrypted" not in html


MORE_ROWS = 4


def test_no_list_costs_more_with_more_rows(
    admin_client: Client, admin_user: User, rows: dict[type[Model], Model]
) -> None:
    def cost(model: type[Model]) -> int:
        with CaptureQueriesContext(database) as captured:
            get(admin_client, listing(model))
        return len(captured)

    few = {model: cost(model) for model in REGISTERED}
    for number in range(MORE_ROWS):
        make_rows(admin_user, number + 1)

    grew = {model: more for model in REGISTERED if (more := cost(model) - few[model]) > 0}
    assert all(more < MORE_ROWS for more in grew.values()), (
        grew
    )  # less: what is remembered for a while ran out


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model.__name__)
def test_adding_is_offered_where_it_makes_sense_and_nowhere_else(
    admin_client: Client, db: None, model: type[Model]
) -> None:
    response = admin_client.get(listing(model) + "add/")

    assert response.status_code == (200 if model in ADDABLE else 403)
    assert Loads(response.content.decode()).hosts <= {"", "testserver"}


@pytest.mark.parametrize(
    "model", [SyncRun, DeadLetter, SyncRequest, Change, Campaign, AdGroup, Ad, Credential, LogEntry]
)
def test_a_record_cannot_be_changed_or_deleted_by_anybody(
    admin_client: Client, rows: dict[type[Model], Model], model: type[Model]
) -> None:
    url = page(rows[model])

    assert admin_client.post(url, {"name": "Other"}).status_code == 403
    assert admin_client.post(f"{url.removesuffix('change/')}delete/", {"post": "yes"}).status_code == 403
    assert model._default_manager.filter(pk=rows[model].pk).exists()


def test_the_page_of_a_run_tells_its_whole_story(
    admin_client: Client, rows: dict[type[Model], Model]
) -> None:
    html = get(admin_client, page(rows[SyncRun]))

    for expected in ("AbCdTrace", "190/463", "worker@host", "API_ERROR", "No access", "daily budget micros"):
        assert expected in html
    assert listing(Change, run_id=rows[SyncRun].pk) in html
    assert "(&#x27;" not in html  # a badge that was not drawn


def test_money_is_shown_in_the_currency_of_the_ad_account(
    admin_client: Client, rows: dict[type[Model], Model]
) -> None:
    assert "12,345.67 EUR" in get(admin_client, listing(Campaign))
    assert "LOWEST_COST" in get(admin_client, page(rows[Campaign]))


def test_a_deferred_run_says_what_it_waits_for(admin_client: Client, connection: Connection) -> None:
    run = make_run(connection, state=RunState.DEFERRED, waiting_for="Meta's calls of this hour")

    assert "the call budget: Meta&#x27;s calls of this hour, until" in get(admin_client, page(run))


def test_a_run_that_is_held_says_so(admin_client: Client, account: Account) -> None:
    run = make_run(make_connection(account, status=ConnectionStatus.ACCESS_DENIED))

    assert "access to the ad account, which the platform denies" in get(admin_client, page(run))


def test_a_run_of_metrics_says_what_it_wrote(admin_client: Client, connection: Connection) -> None:
    run = make_run(connection, state=RunState.SUCCEEDED, kind=Kind.INSIGHTS, changes={"created": 8856})

    for url in (listing(SyncRun), page(run), page(connection)):
        assert "8,856 new" in get(admin_client, url)
    assert "Metrics are not told change by change" in get(admin_client, page(run))


@pytest.mark.parametrize("state", RunState)
def test_the_health_of_a_run_is_told_when_it_has_ended(
    admin_client: Client, connection: Connection, state: RunState
) -> None:
    html = get(admin_client, page(make_run(connection, state=state)))

    assert any(word.capitalize() in html for word in Health) is (state in ENDED)


def test_an_empty_list_asks_to_create_only_what_can_be_created(admin_client: Client, db: None) -> None:
    assert "No dead letters yet." in get(admin_client, listing(DeadLetter))
    assert "Add plan" in get(admin_client, listing(Plan))
    for model in REGISTERED:
        html = get(admin_client, listing(model))
        assert "Create a new item" not in html
        assert (f"Add {model._meta.verbose_name}" in html) <= (model in ADDABLE)
    assert "Nothing fits what was looked for." in get(admin_client, listing(DeadLetter, q="x"))


def test_the_sidebar_leads_to_pages_that_exist(admin_client: Client, db: None) -> None:
    html = get(admin_client, reverse("admin:index"))

    for entries in GROUPS.values():
        for model, title, _ in entries:
            assert f'href="{listing(model)}"' in html
            assert title in html


def test_the_list_of_runs_costs_the_same_with_more_rows(
    admin_client: Client, connection: Connection, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_run(connection, state=RunState.SUCCEEDED, trigger=Trigger.MANUAL)
    admin_client.get(listing(SyncRun))
    with django_assert_num_queries(FEW_QUERIES):
        admin_client.get(listing(SyncRun))
    for _ in range(20):
        make_run(make_connection(make_account()), state=RunState.SUCCEEDED)

    with django_assert_num_queries(FEW_QUERIES) as captured:
        admin_client.get(listing(SyncRun))

    assert not [query["sql"] for query in captured.captured_queries if "COUNT(" in query["sql"]]


FEW_QUERIES = 3  # the session, the user, the runs


def test_whoever_is_not_staff_is_asked_to_sign_in(client: Client, alice: User) -> None:
    client.force_login(alice)

    response = client.get(listing(SyncRun))

    assert response.status_code == 302
    assert response["Location"].startswith(reverse("admin:login"))


def test_the_icon_that_browsers_ask_for_exists(client: Client, db: None) -> None:
    response = client.get("/favicon.ico", follow=True)

    assert b"<svg" in b"".join(response.streaming_content)  # type: ignore[attr-defined]  # a stream
    response.close()


def get(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode()
