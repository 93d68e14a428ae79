"""Both platforms are made the same way, and what they are made of hides its secrets."""

import pytest

from providers.base import AdAccountRef, Grant
from providers.google.client import GoogleClient
from providers.meta.client import MetaClient
from providers.meta.oauth import LongLivedToken
from providers.registry import GoogleConfig, MetaConfig, client_for
from providers.session import Session
from tests.integration.client_callers import RecordingGate


@pytest.mark.parametrize(
    ("provider", "config", "kind"),
    [("meta", MetaConfig(), MetaClient), ("google", GoogleConfig(), GoogleClient)],
)
def test_a_client_is_made_by_its_providers_name(
    provider: str, config: MetaConfig | GoogleConfig, kind: type
) -> None:
    client = client_for(
        provider, config, Grant("secret"), AdAccountRef("1"), gate=RecordingGate(), session=Session()
    )

    assert isinstance(client, kind)
    assert client.calls == 0


@pytest.mark.parametrize(
    "thing",
    [
        Grant("hush"),
        MetaConfig(app_secret="hush"),
        GoogleConfig(client_secret="hush", developer_token="hush"),
        LongLivedToken("hush", 5.0),
    ],
)
def test_nothing_that_holds_a_secret_shows_it(thing: object) -> None:
    assert "hush" not in repr(thing)
    assert "hush" not in str(thing)


def test_urls_may_end_with_a_slash() -> None:
    assert MetaConfig(graph_url="http://x/meta/").base == "http://x/meta/v26.0"
    assert GoogleConfig(ads_url="http://x/google/").base == "http://x/google/v26"
