"""An access token that Google refuses is renewed once, before anybody is asked to connect again."""

from collections.abc import Iterator
from typing import Any

import pytest

from providers.base import AdAccountRef, Grant
from providers.errors import PlatformFault, ReconnectNeeded
from providers.google.client import GoogleClient
from providers.google.config import GoogleConfig
from providers.session import Session
from tests.integration.client_callers import RecordingGate
from tests.integration.scripted_server import Reply, Script, scripted_server

NEW = {"access_token": "ya29.new", "expires_in": 3599}
CUSTOMER = [{"results": [{"customer": {"id": "123", "timeZone": "Europe/Berlin", "status": "ENABLED"}}]}]


class Kept:
    """A token store that has a token."""

    def load(self) -> str | None:
        return "ya29.stored"

    def save(self, token: str, lifetime: float) -> None:
        pass


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted_server() as script:
        yield script


def client(script: Script) -> GoogleClient:
    config = GoogleConfig(ads_url=script.url, oauth_url=script.url)
    grant = Grant("1//refresh", Kept())
    return GoogleClient(config, grant, AdAccountRef("123"), gate=RecordingGate(), session=Session())


def in_front(reason: str) -> Reply:
    """What a server in front of the Ads service answers."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}
    return Reply({"error": {"code": 401, "status": "UNAUTHENTICATED", "details": [info]}}, status=401)


def refusal(name: str) -> dict[str, Any]:
    failure = {"errors": [{"errorCode": {"authenticationError": name}}]}
    return {"error": {"code": 401, "status": "UNAUTHENTICATED", "details": [failure]}}


@pytest.mark.parametrize(
    "refused",
    [
        in_front("ACCESS_TOKEN_TYPE_UNSUPPORTED"),
        in_front("ACCESS_TOKEN_EXPIRED"),
        in_front("SOMETHING_NEW"),
        Reply(refusal("OAUTH_TOKEN_INVALID"), status=401),
        Reply([refusal("OAUTH_TOKEN_EXPIRED")], status=401),
        Reply(b"<html>401 Unauthorized</html>", status=401),
        Reply({}, status=401),
    ],
)
def test_a_refused_token_is_renewed_once_and_the_call_made_again(script: Script, refused: Reply) -> None:
    script.answers(refused, NEW, CUSTOMER)
    asking = client(script)

    assert asking.account().external_id == "123"

    sent = [headers.get("authorization") for headers in script.headers]
    assert sent == ["Bearer ya29.stored", None, "Bearer ya29.new"]
    assert asking.calls == 2


def test_a_grant_that_has_ended_needs_its_user(script: Script) -> None:
    script.answers(in_front("ACCESS_TOKEN_TYPE_UNSUPPORTED"), Reply({"error": "invalid_grant"}, status=400))

    with pytest.raises(ReconnectNeeded):
        client(script).account()


def test_a_renewed_token_that_is_refused_too_is_not_renewed_for_ever(script: Script) -> None:
    refused = in_front("ACCESS_TOKEN_TYPE_UNSUPPORTED")
    script.answers(refused, NEW, refused)

    with pytest.raises(ReconnectNeeded):
        client(script).account()

    assert len(script.paths) == 3


@pytest.mark.parametrize("name", ["NOT_ADS_USER", "TWO_STEP_VERIFICATION_NOT_ENROLLED"])
def test_what_only_the_user_can_mend_costs_no_second_operation(script: Script, name: str) -> None:
    script.answers(Reply(refusal(name), status=401))
    asking = client(script)

    with pytest.raises(ReconnectNeeded):
        asking.account()

    assert (asking.calls, len(script.paths)) == (1, 1)


def test_a_token_that_ends_within_an_answer_is_worth_a_retry(script: Script) -> None:
    script.answers([*CUSTOMER, refusal("OAUTH_TOKEN_EXPIRED")], NEW, CUSTOMER)
    asking = client(script)

    with pytest.raises(PlatformFault):
        asking.account()

    assert asking.account().external_id == "123"
    assert script.headers[-1]["authorization"] == "Bearer ya29.new"
