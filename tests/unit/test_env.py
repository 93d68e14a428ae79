"""The environment: typed, fail-loud, and documented in full."""

import re
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from adtiger import env

ROOT = Path(__file__).resolve().parents[2]


def test_env_example_lists_exactly_what_is_read() -> None:
    listed = re.findall(r"^([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE)

    assert len(listed) == len(set(listed))
    assert set(listed) == env.NAMES


@pytest.mark.parametrize("wrong", ["yes", "1", "ture"])
def test_a_typo_in_a_boolean_stops_the_start(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("DEBUG", wrong)

    with pytest.raises(ImproperlyConfigured, match="DEBUG must be 'true' or 'false'"):
        env.env_bool("DEBUG", default=False)


@pytest.mark.parametrize(("raw", "message"), [("ten", "whole number"), ("0", "at least 1")])
def test_a_wrong_number_is_named(monkeypatch: pytest.MonkeyPatch, raw: str, message: str) -> None:
    monkeypatch.setenv("MAX_ATTEMPTS", raw)

    with pytest.raises(ImproperlyConfigured, match=f"MAX_ATTEMPTS must be .*{message}"):
        env.env_int("MAX_ATTEMPTS", default=3, minimum=1)


@pytest.mark.parametrize("raw", ["10", "10/0", "0/60", "a/60", "10/60;20/60"])
def test_wrong_windows_are_named(monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    monkeypatch.setenv("META_CONNECTION_WINDOWS", raw)

    with pytest.raises(ImproperlyConfigured, match="META_CONNECTION_WINDOWS"):
        env.env_windows("META_CONNECTION_WINDOWS", default="10/60")


def test_windows_are_calls_per_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("META_CONNECTION_WINDOWS", "10/60, 200/3600")

    assert env.env_windows("META_CONNECTION_WINDOWS", default="") == ((10, 60.0), (200, 3600.0))


@pytest.mark.parametrize("raw", ["1", "-0.1", "half"])
def test_a_fraction_is_at_least_0_and_below_1(monkeypatch: pytest.MonkeyPatch, raw: str) -> None:
    monkeypatch.setenv("BUDGET_RESERVE", raw)

    with pytest.raises(ImproperlyConfigured, match="BUDGET_RESERVE"):
        env.env_fraction("BUDGET_RESERVE", default=0.2)


def test_a_choice_names_what_it_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADTIGER_ENV", "prod")

    with pytest.raises(ImproperlyConfigured, match="production, development, test"):
        env.env_choice("ADTIGER_ENV", choices=("production", "development", "test"), default="production")


@pytest.mark.parametrize(
    "wrong",
    [
        "redis://a:6379,b:6379",
        "queue-redis:6379",
        "http://queue-redis:6379",
        "redis://",
        "redis://:pa55@a:port",
    ],
)
def test_a_wrong_redis_is_named_and_not_repeated(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """The first is what a cluster would look like, which Celery has no transport for."""
    monkeypatch.setenv("BULLMQ_REDIS_URL", wrong)

    with pytest.raises(ImproperlyConfigured, match="BULLMQ_REDIS_URL must look like") as caught:
        env.env_redis("BULLMQ_REDIS_URL", schemes=("redis", "sentinel"))
    assert "pa55" not in str(caught.value)


@pytest.mark.parametrize(
    "right",
    [
        "redis://localhost:6379",
        "redis://:a,b@[::1]:6379/1",
        "redis+socket:///run/valkey.sock",
        "sentinel://a:26379;sentinel://b:26379",
    ],
)
def test_a_right_redis_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch, right: str) -> None:
    monkeypatch.setenv("CELERY_BROKER_URL", right)

    assert env.env_redis("CELERY_BROKER_URL", schemes=("redis", "redis+socket", "sentinel")) == right


def test_a_required_secret_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)

    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is required"):
        env.env_secret("SECRET_KEY", required=True)


def test_a_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "key"))

    assert env.env_secret("SECRET_KEY") == "s3cret"


def test_a_secret_file_that_cannot_be_read_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SECRET_KEY_FILE", str(tmp_path / "missing"))

    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY_FILE can't be read"):
        env.env_secret("SECRET_KEY")
