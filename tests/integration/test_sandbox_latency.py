"""Latency and silence: as long as told, the same again, and for many calls at once."""

import socket
import time
from contextlib import ExitStack
from urllib.parse import urlsplit

from providers.sandbox.constants import META_TOKEN, Platform
from providers.sandbox.latency import Latency, Profile
from providers.sandbox.process import Sandbox, start
from tests.integration.sandbox_callers import Graph
from tests.processes import eventually

pytest_plugins = "tests.integration.sandbox_fixtures"


def test_a_slow_answer_takes_its_time(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    sandbox.fault("meta", "slow", seconds=0.2, pause=0.05)

    answer = graph.ask(f"{ad_account}/ads")

    assert answer.elapsed.total_seconds() >= 0.2
    assert len(answer.json()["data"]) == 25


def test_latency_holds_for_every_call_of_a_platform(sandbox: Sandbox, graph: Graph) -> None:
    sandbox.control("settings", latency={"meta": 0.1})

    assert all(graph.ask("me").elapsed.total_seconds() >= 0.1 for _ in range(2))


def test_a_profile_draws_a_latency_for_each_call(sandbox: Sandbox, graph: Graph, ad_account: str) -> None:
    expected = Latency(seed=11)
    expected.set(Platform.META, Profile.parse("20-200"))
    sandbox.control("settings", latency={"meta": "20-200"}, latency_seed=11)

    for _ in range(5):
        way = expected.draw(Platform.META, ad_account)
        assert graph.ask(ad_account).elapsed.total_seconds() >= way.there + way.back


def test_many_calls_wait_at_once_without_a_thread_each(sandbox: Sandbox) -> None:
    sandbox.control("settings", latency={"meta": "900-1000"})
    request = (
        f"GET /meta/v26.0/me HTTP/1.1\r\nHost: sandbox\r\nAuthorization: Bearer {META_TOKEN}\r\n\r\n"
    ).encode()
    port = urlsplit(sandbox.url).port
    begun = time.monotonic()

    with ExitStack() as stack:
        callers = [stack.enter_context(socket.create_connection(("127.0.0.1", port), 20)) for _ in range(200)]
        for caller in callers:
            caller.sendall(request)
        answers = [caller.recv(65_536) for caller in callers]

    assert all(answer.startswith(b"HTTP/1.1 200 OK") for answer in answers)
    assert 0.9 <= time.monotonic() - begun < 10  # one after the other they would take 180 s


def test_the_end_of_the_sandbox_ends_its_silence() -> None:
    with start("--no-recorded") as sandbox:
        sandbox.fault("meta", "silence")
        with socket.create_connection(("127.0.0.1", urlsplit(sandbox.url).port), 20) as caller:
            caller.sendall(
                b"GET /meta/v26.0/me?access_token=%b HTTP/1.1\r\nHost: x\r\n\r\n" % META_TOKEN.encode()
            )
            eventually(
                lambda: sandbox.referee()["platforms"]["meta"]["calls"] == 1,
                seconds=10,
                what="the call's arrival",
            )
            begun = time.monotonic()
            sandbox.stop()

            assert caller.recv(1) == b""
    assert time.monotonic() - begun < 4  # insisting would take five


def test_a_call_counts_at_its_arrival_even_when_its_caller_has_hung_up(sandbox: Sandbox) -> None:
    sandbox.control("settings", latency={"meta": "200-300"})
    with socket.create_connection(("127.0.0.1", urlsplit(sandbox.url).port), 20) as caller:
        caller.sendall(
            b"GET /meta/v26.0/me?access_token=%b HTTP/1.1\r\nHost: x\r\n\r\n" % META_TOKEN.encode()
        )

    eventually(
        lambda: sandbox.referee()["platforms"]["meta"]["calls"] == 1, seconds=10, what="the call's arrival"
    )
