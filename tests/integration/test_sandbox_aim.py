"""Whom and when a fault strikes."""

import pytest

from providers.sandbox.constants import Platform
from providers.sandbox.process import Sandbox
from tests.integration.sandbox_callers import Ads, Graph, open_account

pytest_plugins = "tests.integration.sandbox_fixtures"

QUERY = "SELECT ad_group_ad.ad.id FROM ad_group_ad"


class TestAim:
    """Whom and when a fault strikes."""

    def test_only_the_named_account(self, sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
        other = open_account(sandbox, Platform.META)
        sandbox.fault("meta", "access_denied", account=ad_account)

        assert [graph.ask(f"{account}/ads").status_code for account in (ad_account, other, ad_account)] == [
            403,
            200,
            403,
        ]

    def test_only_the_named_endpoint(self, sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
        sandbox.fault("meta", "server_error", endpoint="adsets", times=None)

        statuses = [graph.ask(f"{ad_account}/{edge}").status_code for edge in ("campaigns", "adsets", "ads")]

        assert statuses == [200, 500, 200]

    def test_only_queries_of_the_named_resource(self, sandbox: Sandbox, ads: Ads, customer: str) -> None:
        sandbox.fault("google", "server_error", endpoint="ad_group_ad")

        assert ads.stream(customer, "SELECT campaign.id FROM campaign")
        assert ads.ask(customer, "searchStream", query=QUERY).status_code == 500

    def test_as_often_as_told_and_not_before_its_turn(
        self, sandbox: Sandbox, graph: Graph, ad_account: str
    ) -> None:
        sandbox.fault("meta", "server_error", times=2, after_calls=1)

        assert [graph.ask(ad_account).status_code for _ in range(5)] == [200, 500, 500, 200, 200]

    def test_by_seeded_dice(self, sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
        sandbox.fault("meta", "server_error", probability=0.5)

        failed = [graph.ask(ad_account).status_code for _ in range(60)].count(500)

        (rule,) = sandbox.ask("faults")["faults"]
        assert rule["fired"] == failed
        assert 10 < failed < 50

    def test_not_after_they_are_cleared(self, sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
        sandbox.fault("meta", "server_error", times=None)
        sandbox.control("faults/clear")

        assert graph.get(ad_account)

    def test_an_unknown_kind_is_refused(self, sandbox: Sandbox) -> None:
        with pytest.raises(ValueError, match="earthquake"):
            sandbox.fault("meta", "earthquake")
