"""`make up`, `make demo` and `make down`: everything starts, stays up, is found again and ends."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import requests

from adtiger import embedded
from adtiger.embedded import lock
from sync.api.data.fields import MOST
from tests.processes import eventually

PROJECT = Path(__file__).resolve().parents[2]
CHILDREN = ["beat", "sandbox", "web", "worker-google", "worker-maintenance", "worker-meta"]
START_SECONDS = 90  # a start takes about ten; the machine may be busy with other tests
STOP_SECONDS = 60
SETTLE_SECONDS = 30
SHELL = ("/bin/sh", "-ec")
pytestmark = pytest.mark.slow


def environment(home: Path) -> dict[str, str]:
    """As on a fresh machine: nothing of this test's own servers and settings."""
    return {"HOME": os.environ.get("HOME", "/"), "PATH": os.environ["PATH"], "ADTIGER_HOME": str(home)}


class Up:
    """A supervisor on its home, with all that it prints."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self.output = home / "output.txt"
        home.mkdir(parents=True, exist_ok=True)
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "adtiger.up", *arguments],
                cwd=PROJECT,
                env=environment(home),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_it_runs(self) -> dict[str, str]:
        def welcomed() -> bool:
            assert self.process.poll() is None, self.output.read_text()
            return "AdTiger runs at" in self.output.read_text()

        eventually(welcomed, seconds=START_SECONDS, what="the start")
        login: dict[str, str] = json.loads((self.home / "up.json").read_text())
        return login

    def stop(self, sign: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(sign)
        return self.process.wait(STOP_SECONDS)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder with a space in its path that every user may enter; nothing of it runs afterwards."""
    parent = Path(tempfile.mkdtemp(prefix="adtiger up "))
    parent.chmod(0o755)
    yield parent / "a home"
    down(parent / "a home")
    shutil.rmtree(parent)


def down(home: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "adtiger.up", "--down"]
    return subprocess.run(
        command,
        cwd=PROJECT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=STOP_SECONDS,
        check=True,
    )


@contextmanager
def running(home: Path) -> Iterator[tuple[Up, dict[str, str]]]:
    up = Up(home)
    try:
        yield up, up.wait_until_it_runs()
    finally:
        if up.process.poll() is None:
            up.stop()


def running_children(home: Path) -> list[str]:
    return [name for name in CHILDREN if lock.is_held(home / "run" / f"{name}.lock")]


def connections(home: Path) -> list[tuple[str, ...]]:
    with psycopg.connect(str(embedded.status(home).database_url)) as database:
        return database.execute("SELECT id, provider, external_id FROM sync_connection ORDER BY 1").fetchall()


def pid_of(home: Path, child: str) -> int:
    return int((home / "run" / f"{child}.lock").read_text())


def is_well(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).ok
    except requests.RequestException:
        return False


def test_it_runs_everything_until_ctrl_c_and_finds_yesterdays_data(home: Path) -> None:
    with running(home) as (up, login):
        assert running_children(home) == CHILDREN
        assert (home / "up.json").stat().st_mode & 0o777 == 0o600
        printed = up.output.read_text()
        assert all(value in printed for value in login.values())
        assert_that_the_login_works(login)
        assert_that_the_web_takes_as_many_ids_as_the_api(login["url"])
        assert_that_a_shell_stands_on_it(home)
        assert_that_a_shell_can_stand_on_it(home)
        before = connections(home)
        assert len({row[1] for row in before}) == 2
        assert_that_a_second_one_is_refused(home, login["url"])

        assert up.stop() == 0

    assert running_children(home) == []
    assert embedded.status(home) == (None, None)
    assert not (home / "env").exists()
    with running(home) as (up, again):
        assert again | {"url": ""} == login | {"url": ""}
        assert connections(home) == before

        down(home)  # from another terminal

        assert up.process.wait(STOP_SECONDS) == 0


def assert_that_the_web_takes_as_many_ids_as_the_api(url: str) -> None:
    ids = ",".join([str(uuid4())] * MOST)
    answer = requests.get(f"{url}/api/campaigns", {"connection": ids}, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (401, "Unauthorized")


def assert_that_the_login_works(login: dict[str, str]) -> None:
    with requests.Session() as browser:
        page = browser.get(f"{login['url']}/admin/login/", timeout=10).text
        csrf = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)[0]
        form = {"username": login["username"], "password": login["password"], "csrfmiddlewaretoken": csrf}
        answer = browser.post(f"{login['url']}/admin/login/?next=/admin/", data=form, timeout=10)
    assert answer.url == f"{login['url']}/admin/"
    assert answer.status_code == 200


def assert_that_a_shell_can_stand_on_it(home: Path) -> None:
    assert (home / "env").stat().st_mode & 0o777 == 0o600
    edit = "manage.py sandbox --edit 1 --provider meta --external-id act_1700252260223815"
    done = subprocess.run(
        ["/bin/sh", "-c", f'. "{home}/env" && "{sys.executable}" {edit}'],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert sum(len(ids) for ids in json.loads(done.stdout)["edited"].values()) == 1


def assert_that_a_shell_stands_on_it(home: Path) -> None:
    command = [*SHELL, '. "$0"; exec "$1" manage.py workers --json', str(home / "env"), sys.executable]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=STOP_SECONDS,
        check=True,
    )
    assert len(json.loads(done.stdout)["workers"]) == 3


def assert_that_a_second_one_is_refused(home: Path, url: str) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", "adtiger.up"],
        cwd=PROJECT,
        env=environment(home),
        capture_output=True,
        text=True,
        timeout=STOP_SECONDS,
        check=False,
    )
    assert refused.returncode == 1
    assert refused.stderr == f"AdTiger is running already at {url}; `make down` stops it.\n"


@pytest.mark.parametrize("port", ["web", "65536", "-1"])
def test_a_port_that_is_none_is_refused_by_its_name(home: Path, port: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "adtiger.up"],
        cwd=PROJECT,
        env=environment(home) | {"PORT": port},
        capture_output=True,
        text=True,
        timeout=STOP_SECONDS,
        check=False,
    )

    assert done.returncode == 2
    assert f"{port!r} is no port" in done.stderr
    assert not home.exists()


def test_whatever_is_killed_comes_back_and_down_ends_what_a_killed_supervisor_left(home: Path) -> None:
    with running(home) as (up, login):
        web = pid_of(home, "web")
        postmaster = int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])

        os.killpg(web, signal.SIGKILL)
        os.killpg(pid_of(home, "worker-meta"), signal.SIGKILL)
        os.kill(postmaster, signal.SIGKILL)

        eventually(
            lambda: (
                running_children(home) == CHILDREN and pid_of(home, "web") != web and is_well(login["url"])
            ),
            seconds=SETTLE_SECONDS,
            what="the recovery",
        )
        assert "web had exited and was started again" in up.output.read_text()

        os.kill(up.process.pid, signal.SIGKILL)
        up.process.wait()
        assert running_children(home) == CHILDREN
        down(home)

    assert running_children(home) == []
    assert embedded.status(home) == (None, None)
    assert not is_well(login["url"])


def test_the_demo_copies_every_account_and_says_that_all_is_equal(home: Path) -> None:
    demo = Up(home, "--demo")

    code = demo.process.wait(4 * 60)

    printed = demo.output.read_text()
    assert code == 0, printed
    assert "all equal" in printed
    assert printed.count("equal") >= 4 * 7  # two accounts of each platform, three streams and four levels
    assert re.search(r"Meta Recorded account\W+metrics by ad\W+9\W+9\W", printed)  # of its 9 days of delivery
    assert running_children(home / "demo") == []
