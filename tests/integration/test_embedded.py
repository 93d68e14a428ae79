"""The embedded servers keep what was committed and are found again, whatever was killed before."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from adtiger import embedded
from adtiger.embedded import lock
from tests.processes import eventually

PROJECT = Path(__file__).resolve().parents[2]
DEADLINE = 30  # seconds; a start takes one, a busy machine some


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a space in its path that every user may enter (unlike root's tmp_path)."""
    parent = Path(tempfile.mkdtemp(prefix="adtiger embedded "))
    parent.chmod(0o755)
    yield parent / "a home"
    embedded.stop(parent / "a home")
    shutil.rmtree(parent)


def start(home: Path) -> embedded.Status:
    return embedded.Status(embedded.database_url(home, durable=False), embedded.redis_url(home))


def starter(home: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "adtiger.embedded", "start", "--home", str(home)]
    return subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def write(urls: embedded.Status) -> None:
    with psycopg.connect(str(urls.database_url), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'row' AS what")
    with redis.Redis.from_url(str(urls.redis_url)) as client:
        client.set("kept", "key")


def read(urls: embedded.Status) -> tuple[str, str]:
    with psycopg.connect(str(urls.database_url)) as connection:
        row = connection.execute("SELECT what FROM kept").fetchone()
    with redis.Redis.from_url(str(urls.redis_url), decode_responses=True) as client:
        return row[0] if row else "", str(client.get("kept"))


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def valkey(urls: embedded.Status) -> int:
    with redis.Redis.from_url(str(urls.redis_url)) as client:
        return int(client.info("server")["process_id"])


def test_a_fresh_home_gets_servers_with_the_settings_that_the_ledger_needs(home: Path) -> None:
    urls = start(home)

    with psycopg.connect(str(urls.database_url)) as connection:
        row = connection.execute(
            "SELECT current_database(), current_user, current_setting('server_encoding'),"
            " current_setting('listen_addresses'), current_setting('unix_socket_directories'),"
            " current_setting('server_version_num')::int / 10000"
        ).fetchone()
    assert row == ("adtiger", "adtiger", "UTF8", "127.0.0.1", "", 18)
    with redis.Redis.from_url(str(urls.redis_url), decode_responses=True) as client:
        settings = client.config_get("bind", "appendonly", "appendfsync", "maxmemory-policy")
    assert settings == {
        "bind": "127.0.0.1",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
    }


def test_only_tests_give_up_durability(home: Path) -> None:
    with psycopg.connect(embedded.database_url(home)) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    embedded.stop(home)

    with psycopg.connect(embedded.database_url(home, durable=False)) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)


def test_servers_that_run_are_found_not_started_again(home: Path) -> None:
    urls = start(home)
    pids = postmaster(home), valkey(urls)

    assert start(home) == urls
    assert embedded.status(home) == urls
    assert (postmaster(home), valkey(urls)) == pids


def test_after_a_clean_stop_nothing_answers_and_the_next_start_finds_the_data(home: Path) -> None:
    urls = start(home)
    write(urls)

    embedded.stop(home)

    assert embedded.status(home) == (None, None)
    assert not (home / "postgres" / "data" / "postmaster.pid").exists()
    assert not lock.is_held(home / "valkey" / "alive.lock")
    assert start(home) == urls  # the ports too: URLs handed out stay true
    assert read(urls) == ("row", "key")


def test_killed_servers_come_back_at_the_same_urls_with_all_that_was_committed(home: Path) -> None:
    urls = start(home)
    write(urls)

    os.kill(postmaster(home), signal.SIGKILL)
    os.kill(valkey(urls), signal.SIGKILL)

    assert start(home) == urls
    assert read(urls) == ("row", "key")


def test_a_valkey_that_still_reads_its_log_is_waited_for(home: Path) -> None:
    url = embedded.redis_url(home)
    with redis.Redis.from_url(url, socket_timeout=DEADLINE) as client:  # a busy machine takes its time
        client.eval("for i = 1, 500000 do redis.call('SET', i, i) end", 0)  # half a second's reading
        os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
    eventually(lambda: embedded.status(home).redis_url is None, seconds=DEADLINE, what="its end")

    assert embedded.redis_url(home) == url

    with redis.Redis.from_url(url) as client:
        assert client.get("1") == b"1"


def test_starters_at_the_same_time_get_the_same_servers(home: Path) -> None:
    starters = [starter(home) for _ in range(4)]

    answers = [process.communicate(timeout=2 * DEADLINE) for process in starters]

    assert [process.returncode for process in starters] == [0, 0, 0, 0], answers
    assert len({printed for printed, _ in answers}) == 1
    assert None not in embedded.status(home)


def test_a_starter_that_is_killed_while_it_makes_the_data_harms_nobody(home: Path) -> None:
    killed = starter(home)
    eventually((home / "postgres" / "data.new").exists, seconds=DEADLINE, what="initdb")
    killed.kill()
    killed.communicate()

    urls = start(home)

    write(urls)
    assert read(urls) == ("row", "key")


def test_a_port_that_somebody_else_took_is_replaced(home: Path) -> None:
    urls = start(home)
    write(urls)
    embedded.stop(home)
    ports = [int(str(url).rsplit("/", 1)[0].rsplit(":", 1)[1]) for url in urls]
    sockets = [socket.create_server(("127.0.0.1", port)) for port in ports]

    again = start(home)

    for taken in sockets:
        taken.close()
    assert again.database_url != urls.database_url
    assert again.redis_url != urls.redis_url
    assert read(again) == ("row", "key")


def test_servers_of_another_home_are_never_taken_for_ours(home: Path) -> None:
    other = home.with_name("another home")
    theirs = start(other)
    for name in ("postgres", "valkey"):
        (home / name).mkdir(parents=True)
        shutil.copy(other / name / "port.json", home / name / "port.json")

    try:
        ours = start(home)
    finally:
        embedded.stop(other)

    assert set(ours).isdisjoint(theirs)
    assert embedded.status(home) == ours


def test_a_missing_database_is_made_in_the_running_server(home: Path) -> None:
    url = embedded.database_url(home, durable=False)
    with psycopg.connect(f"{url.removesuffix('adtiger')}postgres", autocommit=True) as connection:
        connection.execute("DROP DATABASE adtiger")

    assert embedded.database_url(home, durable=False) == url

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("adtiger",)


@pytest.mark.parametrize("action", ["start", "status", "stop"])
def test_the_command_prints_the_urls(home: Path, action: str) -> None:
    urls = start(home)
    command = [sys.executable, "-W", "error", "-m", "adtiger.embedded", action, "--home", str(home)]

    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=DEADLINE, check=True)

    database, broker = ("", "") if action == "stop" else urls
    assert done.stdout == f"DATABASE_URL={database}\nREDIS_URL={broker}\n"
    assert done.stderr == ""
