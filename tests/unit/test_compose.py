"""docker-compose.yml and the Dockerfile fit the project: commands exist, variables are read, nobody is root.

Docker itself is not run here.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from celery.bin.celery import celery
from django.conf import settings
from django.core.management import get_commands

from adtiger import env
from adtiger.up.stack import WORKERS

PROJECT = Path(__file__).resolve().parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = sorted(name for name, service in SERVICES.items() if "build" in service)
DOCKERFILE = (PROJECT / "Dockerfile").read_text()


def test_all_processes_are_there() -> None:
    workers = [f"worker-{name}" for name in WORKERS]
    assert sorted(SERVICES) == sorted(["beat", "migrate", "postgres", "valkey", "web", *workers])


@pytest.mark.parametrize("name", [name for name in OURS if "command" in SERVICES[name]])
def test_the_command_of_a_service_exists(name: str) -> None:
    command = SERVICES[name]["command"]

    if command[0] == "celery":
        celery_command = celery.commands[command[3]]
        options = {option for parameter in celery_command.params for option in parameter.opts}
        assert {word for word in command[4:] if word.startswith("--")} <= options
        assert command[1:3] == ["-A", "adtiger"]
    else:
        assert command[:2] == ["python", "manage.py"]
        assert command[2] in get_commands()


@pytest.mark.parametrize("name", [name for name in OURS if name.startswith("worker-")])
def test_each_worker_serves_the_queue_that_it_is_named_after(name: str) -> None:
    assert SERVICES[name]["command"] == ["python", "manage.py", "worker", name.removeprefix("worker-")]


@pytest.mark.parametrize("name", OURS)
def test_every_variable_of_a_service_is_read_by_the_settings(name: str) -> None:
    assert settings.configured
    assert set(SERVICES[name]["environment"]) <= env.NAMES


@pytest.mark.parametrize("name", OURS)
def test_every_setting_of_the_env_file_reaches_each_service(name: str) -> None:
    """Compose itself takes from it only what this file names."""
    assert SERVICES[name]["env_file"] == [{"path": ".env", "required": False}]


def test_no_secret_has_a_value_in_the_file() -> None:
    for name in OURS:
        for variable, value in SERVICES[name]["environment"].items():
            if variable.endswith(("SECRET", "KEY", "KEYS", "TOKEN")):
                assert value.startswith(f"${{{variable}:"), f"{name}: {variable}"
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith("${POSTGRES_PASSWORD:?")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_comes_back_and_says_whether_it_is_well(name: str) -> None:
    service = SERVICES[name]

    assert service["restart"] in {"unless-stopped", "on-failure"}
    if name == "migrate":
        assert service["healthcheck"] == {"disable": True}  # it ends; the others wait for that
    elif name == "web":
        assert "HEALTHCHECK" in DOCKERFILE
    else:
        assert service["healthcheck"]["test"]


@pytest.mark.parametrize("name", OURS)
def test_our_services_are_not_root_and_gain_no_rights(name: str) -> None:
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in SERVICES[name]
    after_the_last_copy = DOCKERFILE.rsplit("\nCOPY ", 1)[1]
    assert "\nUSER adtiger\n" in after_the_last_copy


def test_only_the_web_is_published_and_only_to_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


def test_a_worker_is_given_the_time_to_end_its_pages() -> None:
    for name in WORKERS:
        grace = int(SERVICES[f"worker-{name}"]["stop_grace_period"].removesuffix("s"))
        assert grace >= settings.STOP_SECONDS + 5


@pytest.mark.parametrize("line", [line for line in DOCKERFILE.splitlines() if line.startswith("COPY ")])
def test_everything_that_the_image_copies_exists_and_is_sent_to_the_build(line: str) -> None:
    *sources, _ = line.split()[1:]
    sent = {entry.removeprefix("!") for entry in (PROJECT / ".dockerignore").read_text().splitlines()}

    for source in sources:
        if not line.startswith("COPY --from"):
            assert (PROJECT / source).exists()
            assert source in sent
