"""Typed readers of the environment: a wrong value stops the start with a clear message.

Only the settings use them, so every variable has one place. `NAMES` collects what was read, which
lets a test compare it with `.env.example`.
"""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

NAMES: set[str] = set()
_MISSING = "{name} is required{why}. Set it in the environment (or {name}_FILE to a file that holds it)."


def env_str(name: str, *, default: str = "") -> str:
    """The variable, or `default` when it is unset or empty."""
    NAMES.add(name)
    return os.environ.get(name) or default


def env_bool(name: str, *, default: bool) -> bool:
    """Accept exactly "true" or "false": a typo must never silently mean False."""
    raw = env_str(name, default=str(default)).lower()
    if raw not in {"true", "false"}:
        raise ImproperlyConfigured(f"{name} must be 'true' or 'false', not {raw!r}.")
    return raw == "true"


def env_int(name: str, *, default: int, minimum: int = 0) -> int:
    """A whole number, at least `minimum`."""
    raw = env_str(name, default=str(default))
    try:
        value = int(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from None
    if value < minimum:
        raise ImproperlyConfigured(f"{name} must be at least {minimum}, not {value}.")
    return value


def env_fraction(name: str, *, default: float) -> float:
    """A number from 0 up to, but not including, 1."""
    raw = env_str(name, default=str(default))
    try:
        value = float(raw)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a number, not {raw!r}.") from None
    if not 0 <= value < 1:
        raise ImproperlyConfigured(f"{name} must be at least 0 and below 1, not {raw}.")
    return value


def env_list(name: str, *, default: str = "") -> list[str]:
    """A comma-separated list; blanks are dropped."""
    return [part.strip() for part in env_str(name, default=default).split(",") if part.strip()]


def env_choice(name: str, *, choices: tuple[str, ...], default: str) -> str:
    """One of `choices`."""
    value = env_str(name, default=default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {value!r}.")
    return value


def env_windows(name: str, *, default: str) -> tuple[tuple[int, float], ...]:
    """Budget windows as `calls/seconds`, comma-separated: `10/60,200/3600`. Empty means no limit."""
    windows = []
    for part in env_list(name, default=default):
        calls, _, seconds = part.partition("/")
        try:
            window = (int(calls), float(seconds))
        except ValueError:
            raise ImproperlyConfigured(
                f"{name} must look like '10/60,200/3600' (calls/seconds), not {part!r}."
            ) from None
        if window[0] < 1 or window[1] <= 0:
            raise ImproperlyConfigured(f"{name} needs at least one call and a time above 0, not {part!r}.")
        windows.append(window)
    return tuple(windows)


def env_database(url: str) -> dict[str, Any]:
    """Django's settings for a PostgreSQL URL. A wrong one is not repeated: it may hold a password."""
    try:
        database = dj_database_url.parse(url, conn_max_age=None, conn_health_checks=True)
    except ValueError:
        database = None
    if not database or database.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured(
            "DATABASE_URL must look like postgresql://user:password@host:5432/name, and name PostgreSQL."
        )
    options = database.setdefault("OPTIONS", {})
    options.setdefault("connect_timeout", 5)  # seconds; fail loud instead of hanging
    return dict(database)


def env_secret(name: str, *, default: str = "", required: bool = False, why: str = "") -> str:
    """NAME, or the content of the file that NAME_FILE points at (Docker secrets)."""
    NAMES.add(name)
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as exc:
            raise ImproperlyConfigured(f"{name}_FILE can't be read: {exc.strerror} ({path}).") from None
    value = os.environ.get(name) or default
    if required and not value:
        raise ImproperlyConfigured(_MISSING.format(name=name, why=f" {why}" if why else ""))
    return value


def env_redis(name: str, *, schemes: tuple[str, ...], required: bool = False, why: str = "") -> str:
    """The URL of a Redis or Valkey server; where Sentinels are allowed, theirs with semicolons between.

    A wrong one is not repeated: it may hold a password.
    """
    url = env_secret(name, required=required, why=why)
    servers = url.split(";") if "sentinel" in schemes else [url]
    if url and not all(_is_server(server, schemes) for server in servers):
        raise ImproperlyConfigured(
            f"{name} must look like redis://:password@host:6379/0, begin with one of "
            f"{', '.join(schemes)}, and name one server: Redis Cluster is not supported."
        )
    return url


def _is_server(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and parts.port != 0 and bool(parts.hostname or parts.path)
    except ValueError:  # of a port that is no number
        return False
