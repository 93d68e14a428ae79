"""The sandbox as a process and as a world that changes: start, stop, edits, truth."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests

from providers.sandbox.constants import Platform
from providers.sandbox.process import ROOT, Sandbox, start
from tests.integration.sandbox_callers import Ads, Graph, open_account

pytest_plugins = "tests.integration.sandbox_fixtures"


def test_the_same_seed_gives_the_same_world() -> None:
    with (
        start("--meta", "2/5/20", "--no-recorded", seed=3) as first,
        start("--meta", "2/5/20", "--no-recorded", seed=3) as second,
    ):
        worlds = [
            [s.truth(a["platform"], a["id"]) for a in s.ask("accounts")["accounts"]] for s in (first, second)
        ]

    assert worlds[0] == worlds[1]
    assert worlds[0][0]["counts"] == {"campaigns": 2, "ad_groups": 5, "ads": 20}


def test_limits_may_be_given_at_the_start() -> None:
    with start("--meta", "1/1/1", "--meta-limit", "1/60") as sandbox:
        graph = Graph(sandbox)
        account = graph.get("me/adaccounts")["data"][0]["id"]
        graph.get(account)

        assert graph.error(account) == (400, 17, 2446079)


def test_faults_may_be_there_from_the_start(tmp_path: Path) -> None:
    script = tmp_path / "faults.json"
    script.write_text('[{"platform": "meta", "kind": "server_error"}, {"platform": "meta", "kind": "html"}]')

    with start("--no-recorded", "--faults", str(script), "--latency", "meta=10-20") as sandbox:
        assert [Graph(sandbox).ask("me").status_code for _ in range(3)] == [500, 502, 200]
        assert sandbox.control("settings")["latency"]["meta"] == "10-20"


def test_it_prints_its_urls_when_no_file_is_named() -> None:
    command = [sys.executable, "-m", "providers.sandbox", "--leash", "--no-recorded"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert b'"GOOGLE_OAUTH_URL":"http://127.0.0.1:' in process.stdout.readline()
        process.terminate()

    assert process.returncode == 0


def test_it_does_not_outlive_its_starter(tmp_path: Path) -> None:
    url_file = tmp_path / "url"
    code = (
        "import pathlib, time; from providers.sandbox.process import start\n"
        f"pathlib.Path({str(url_file)!r}).write_text(start('--no-recorded').url); time.sleep(60)"
    )
    starter = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    deadline = time.monotonic() + 20
    while not (url_file.exists() and url_file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)

    starter.kill()
    starter.wait()

    while is_listening(url_file.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_listening(url: str) -> bool:
    try:
        requests.get(f"{url}/control/accounts", timeout=5)
    except requests.RequestException:
        return False
    return True


def test_a_start_that_fails_says_so() -> None:
    with pytest.raises(RuntimeError, match="ended with code 2"):
        start("--no-such-option")


@pytest.mark.parametrize("platform", list(Platform))
def test_edits_show_in_the_truth(sandbox: Sandbox, platform: Platform) -> None:
    account = open_account(sandbox, platform)
    before = sandbox.truth(platform, account)

    edited = sandbox.control("random-edits", platform=platform, account=account, count=10, seed=1)["edited"]

    after = sandbox.truth(platform, account)
    differing = {k: [e for e in before[k] if before[k][e] != after[k][e]] for k in edited}
    assert sum(map(len, edited.values())) == 10
    assert all(set(edited[kind]) & set(differing[kind]) == set(edited[kind]) for kind in edited)


@pytest.mark.parametrize("platform", list(Platform))
def test_a_named_edit_is_read_by_the_clients(sandbox: Sandbox, platform: Platform) -> None:
    account = open_account(sandbox, platform)
    campaign = next(iter(sandbox.truth(platform, account)["campaigns"]))

    sandbox.control(
        "edit", platform=platform, account=account, id=campaign, name="Renamed", daily_budget=7_000_000
    )

    if platform == Platform.META:
        row = Graph(sandbox).get(campaign, fields="name,daily_budget")
        assert (row["name"], row["daily_budget"]) == ("Renamed", "7000000")
    else:
        query = "SELECT campaign_budget.amount_micros FROM campaign WHERE campaign.name = 'Renamed'"
        (found,) = Ads(sandbox).stream(account, query)
        assert found["campaignBudget"]["amountMicros"] == "7000000"


@pytest.mark.parametrize("platform", list(Platform))
@pytest.mark.parametrize("kind", ["campaigns", "ad_groups", "ads"])
def test_new_entities_appear(sandbox: Sandbox, platform: Platform, kind: str) -> None:
    account = open_account(sandbox, platform)

    made = sandbox.control("create", platform=platform, account=account, kind=kind, name="Fresh")

    truth = sandbox.truth(platform, account)[kind]
    assert truth[made["id"]]["name"] == "Fresh"
    assert len(truth) == {"campaigns": 4, "ad_groups": 10, "ads": 28}[kind]


def test_a_new_entity_goes_below_the_named_parent(sandbox: Sandbox) -> None:
    account = open_account(sandbox, Platform.META)
    first = next(iter(sandbox.truth("meta", account)["ad_groups"]))

    made = sandbox.control("create", platform="meta", account=account, kind="ads", parent=first)

    assert made["ad_group_id"] == first


def test_removing_and_returning(sandbox: Sandbox) -> None:
    account = open_account(sandbox, Platform.GOOGLE)
    ad = next(iter(sandbox.truth("google", account)["ads"]))
    where = {"platform": "google", "account": account, "id": ad}

    assert sandbox.control("remove", **where)["status"] == "REMOVED"
    assert sandbox.control("return", **where)["status"] == "ENABLED"
    sandbox.control("remove", **where, vanish=True)
    assert ad not in sandbox.truth("google", account)["ads"]
    sandbox.control("return", **where)
    assert ad in sandbox.truth("google", account)["ads"]


def test_nothing_returns_below_what_is_not_there(sandbox: Sandbox) -> None:
    account = open_account(sandbox, Platform.META)
    ad, told = next(iter(sandbox.truth("meta", account)["ads"].items()))
    where = {"platform": "meta", "account": account}
    sandbox.control("remove", **where, id=ad, vanish=True)
    sandbox.control("remove", **where, id=told["ad_group_id"], vanish=True)

    with pytest.raises(ValueError, match=f"below {told['ad_group_id']}, which is not there"):
        sandbox.control("return", **where, id=ad)
    sandbox.control("return", **where, id=told["ad_group_id"])
    sandbox.control("return", **where, id=ad)

    assert ad in sandbox.truth("meta", account)["ads"]


def test_many_accounts_cost_nothing_until_read(sandbox: Sandbox) -> None:
    begun = time.monotonic()

    opened = sandbox.control(
        "accounts", platform="meta", count=1_000, campaigns=10, ad_groups=100, ads=20_000
    )

    assert time.monotonic() - begun < 5  # making their contents would take minutes
    assert len({account["id"] for account in opened["accounts"]}) == 1_000
    assert (
        sandbox.ask("truth", platform="meta", account=opened["id"], counts="yes")["counts"]["ads"] == 20_000
    )


def test_many_small_accounts_are_there_at_the_start_each_with_a_token_of_its_own() -> None:
    with start(
        "--meta", "300x1/1/3", "--google", "300x5/5/5", "--google", "1/1/1", "--no-recorded"
    ) as sandbox:
        metas, googles = (sandbox.control("tokens/each", platform=p)["tokens"] for p in Platform)
        meta, google = max(metas), max(googles)

        listed = Graph(sandbox, metas[meta]).get("me/adaccounts")["data"]
        ads = Ads(sandbox, googles[google], login="")

        assert (len(metas), len(googles)) == (300, 301)
        assert sandbox.truths("meta").keys() == metas.keys()
        assert [row["id"] for row in listed] == [f"act_{meta}"]
        assert Graph(sandbox, metas[meta]).error(f"act_{min(metas)}") == (403, 200, None)
        assert ads.stream(google, "SELECT customer.id FROM customer")
        assert ads.error(min(googles))[2] == "USER_PERMISSION_DENIED"


@pytest.mark.parametrize("platform", list(Platform))
def test_one_request_tells_the_truth_of_many_accounts(sandbox: Sandbox, platform: Platform) -> None:
    accounts = [open_account(sandbox, platform).removeprefix("act_") for _ in range(3)]

    truths = sandbox.truths(platform, accounts[:2])

    assert truths == {account: sandbox.truth(platform, account) for account in accounts[:2]}


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("sandcastle", {}),
        ("edit", {"platform": "meta", "account": "1", "id": "1"}),
        ("edit", {}),
        ("settings", {"colour": "red"}),
        ("accounts", {"platform": "myspace"}),
        ("tokens/revoke", {"platform": "meta", "token": "nonsense"}),
    ],
)
def test_a_wrong_control_call_is_refused(sandbox: Sandbox, action: str, body: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="the sandbox refused"):
        sandbox.control(action, **body)


def test_an_edit_of_what_is_not_there_is_refused(sandbox: Sandbox, ad_account: str) -> None:
    with pytest.raises(ValueError, match="holds no 1"):
        sandbox.control("edit", platform="meta", account=ad_account, id="1", name="x")
