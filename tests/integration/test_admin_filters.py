"""What the lists' filters and search boxes find."""

from datetime import timedelta
from itertools import product
from uuid import uuid4

import pytest
from django.db.models import Model
from django.test import Client
from django.utils import timezone

from sync.admin.words import listing
from sync.models import Account, Campaign, Change, Connection, SyncRequest, SyncRun
from sync.models.choices import (
    ChangeAction,
    ConnectionStatus,
    CredentialStatus,
    EntityKind,
    Kind,
    Provider,
    RunState,
    Trigger,
)
from tests.factories import make_account, make_connection, make_request, make_run


def found(client: Client, model: type[Model], **chosen: object) -> set[object]:
    """The keys that the list shows."""
    response = client.get(listing(model, **chosen))
    assert response.status_code == 200, response["Location"]
    return {row.pk for row in response.context["cl"].result_list}


@pytest.fixture
def runs(account: Account, other_account: Account) -> dict[str, SyncRun]:
    """One run that each filter is to find, and another."""
    meta = make_connection(account, external_id="act_777")
    google = make_connection(other_account, Provider.GOOGLE)
    wanted = make_run(
        meta,
        state=RunState.FAILED,
        trigger=Trigger.MANUAL,
        kind=Kind.ADS,
        error_category="API_ERROR",
    )
    return {"wanted": wanted, "other": make_run(google)}


@pytest.mark.parametrize(
    "chosen",
    [
        {"state__exact": "failed"},
        {"provider__exact": "meta"},
        {"error": "API_ERROR"},
        {"kind__exact": "ads"},
        {"trigger__exact": "manual"},
        {"q": "act_777"},
    ],
    ids=lambda chosen: next(iter(chosen)),
)
def test_runs_are_filtered(admin_client: Client, runs: dict[str, SyncRun], chosen: dict[str, str]) -> None:
    assert found(admin_client, SyncRun, **chosen) == {runs["wanted"].pk}


def test_runs_are_filtered_by_account_and_connection(admin_client: Client, runs: dict[str, SyncRun]) -> None:
    wanted = runs["wanted"]

    assert found(admin_client, SyncRun, account__id__exact=wanted.account_id) == {wanted.pk}
    assert found(admin_client, SyncRun, connection__id__exact=wanted.connection_id) == {wanted.pk}


def test_the_filter_by_account_looks_accounts_up_by_name(
    admin_client: Client, account: Account, other_account: Account
) -> None:
    asked = {"app_label": "sync", "model_name": "syncrun", "field_name": "account", "term": "acm"}

    offered = admin_client.get("/admin/autocomplete/", asked).json()["results"]

    assert offered == [{"id": str(account.pk), "text": "Acme"}]


def test_runs_are_filtered_by_time(admin_client: Client, runs: dict[str, SyncRun]) -> None:
    SyncRun.objects.filter(pk=runs["other"].pk).update(created_at=timezone.now() - timedelta(hours=2))

    assert found(admin_client, SyncRun, since="1h") == {runs["wanted"].pk}
    assert found(admin_client, SyncRun, since="24h") == {run.pk for run in runs.values()}


def test_a_run_is_found_by_its_id_its_request_and_a_request_that_joined(
    admin_client: Client, runs: dict[str, SyncRun]
) -> None:
    wanted = runs["wanted"]
    joined = make_request(wanted.account)
    wanted.joined_by.create(request=joined)

    for key in (wanted.pk, wanted.request_id, joined.pk):
        assert found(admin_client, SyncRun, q=key) == {wanted.pk}
    assert found(admin_client, SyncRun, q=uuid4()) == set()


def test_a_request_is_found_by_its_id_and_by_nothing_else(admin_client: Client, account: Account) -> None:
    wanted, _ = make_request(account), make_request(account)

    assert found(admin_client, SyncRequest, q=wanted.pk) == {wanted.pk}
    assert found(admin_client, SyncRequest, q="something") == set()


def test_connections_are_filtered_by_their_condition(admin_client: Client, account: Account) -> None:
    active, paused = make_connection(account), make_connection(account, paused_at=timezone.now())
    denied = make_connection(account, status=ConnectionStatus.ACCESS_DENIED, paused_at=timezone.now())

    assert found(admin_client, Connection, condition="active") == {active.pk}
    assert found(admin_client, Connection, condition="paused") == {paused.pk}
    assert found(admin_client, Connection, condition="access_denied") == {denied.pk}


def test_connections_are_found_by_name_and_external_id(admin_client: Client, account: Account) -> None:
    shoes = make_connection(account, name="Shoes", external_id="act_55")
    make_connection(account, name="Hats", external_id="act_66")

    assert found(admin_client, Connection, q="shoe") == {shoes.pk}
    assert found(admin_client, Connection, q="act_55") == {shoes.pk}


def test_the_condition_in_sql_is_the_condition_of_the_model(db: None) -> None:
    moments = (None, timezone.now())
    for status, grant, paused, held in product(ConnectionStatus, CredentialStatus, moments, moments):
        connection = make_connection(make_account(paused_at=held), status=status, paused_at=paused)
        connection.credential.status = grant
        connection.credential.save()

    rows = Connection.objects.with_condition().select_related("credential", "account")

    assert len(rows) == len(ConnectionStatus) * len(CredentialStatus) * 4
    assert [row.told_condition for row in rows] == [row.condition for row in rows]  # type: ignore[attr-defined]  # annotated


def test_the_catalog_is_filtered_and_searched(admin_client: Client, connection: Connection) -> None:
    summer, winter = (
        Campaign.objects.create(
            connection=connection,
            external_id=str(number),
            name=name,
            status=status,
            platform_status="X",
            raw={},
        )
        for number, name, status in ((11, "Summer", "active"), (22, "Winter", "paused"))
    )
    Campaign.objects.filter(pk=winter.pk).update(removed_at=timezone.now())

    assert found(admin_client, Campaign, status__exact="active") == {summer.pk}
    assert found(admin_client, Campaign, removed="yes") == {winter.pk}
    assert found(admin_client, Campaign, removed="no") == {summer.pk}
    assert found(admin_client, Campaign, q="summ") == {summer.pk}
    assert found(admin_client, Campaign, q="22") == {winter.pk}
    assert found(admin_client, Campaign, connection__id__exact=uuid4()) == set()


def test_changes_are_found_by_their_run_and_their_entity(
    admin_client: Client, connection: Connection
) -> None:
    run = make_run(connection)
    wanted, other = (
        Change.objects.create(
            connection=connection,
            run_id=run_id,
            entity=EntityKind.AD,
            external_id=external_id,
            action=ChangeAction.CREATED,
            seen_at=timezone.now() - timedelta(days=days),
        )
        for run_id, external_id, days in ((run.pk, "5", 0), (uuid4(), "6", 2))
    )

    assert found(admin_client, Change, run_id=run.pk) == {wanted.pk}
    assert found(admin_client, Change, q="6") == {other.pk}
    assert found(admin_client, Change, since="24h") == {wanted.pk}


def test_a_filter_that_makes_no_sense_is_no_error(admin_client: Client, runs: dict[str, SyncRun]) -> None:
    response = admin_client.get(listing(SyncRun, account__id__exact="nonsense"), follow=True)

    assert response.status_code == 200


@pytest.mark.parametrize(
    "url",
    [
        "/admin/sync/syncrun/?state__exact=%00",
        "/admin/sync/connection/?condition=%00",
        "/admin/autocomplete/?app_label=sync&model_name=syncrun&field_name=account&term=%00",
        "/admin/sync/apitoken/%00/change/",
    ],
)
def test_a_nul_in_the_address_is_refused(admin_client: Client, url: str) -> None:
    assert admin_client.get(url).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/admin/", "/api/account"])
def test_a_nul_in_a_cookie_is_refused(client: Client, url: str) -> None:
    assert client.get(url, headers={"Cookie": r'sessionid="\000aaaaaaaaaaaa"'}).status_code == 400


def test_newest_runs_come_first_page_by_page(admin_client: Client, connection: Connection) -> None:
    made = [make_run(connection, state=RunState.SUCCEEDED).pk for _ in range(55)]

    first, second = (admin_client.get(listing(SyncRun, p=number)) for number in (1, 2))

    shown = [row.pk for answer in (first, second) for row in answer.context["cl"].result_list]
    assert shown == made[::-1]
