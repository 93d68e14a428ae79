"""The admin's login: a password can't be found out by trying.

Counted are the tries for a name from an address, until one is right: a stranger locks nobody out elsewhere.
Where the count can't be kept, for Redis is away, people still come in.
"""

from contextlib import suppress
from hashlib import sha256
from typing import Any

from django.contrib import admin
from django.core.cache import cache
from django.core.exceptions import ValidationError
from redis.exceptions import RedisError
from unfold.forms import AuthenticationForm

TRIES = 10  # more than people need who remember it at all
PAUSE = 300  # seconds from the first of them: some 3,000 tries a day, of one address


class LoginForm(AuthenticationForm):
    """Name and password, so many times."""

    def clean(self) -> Any:
        name, address = self.cleaned_data.get("username", ""), self.request.META["REMOTE_ADDR"]
        key = f"login:{sha256(f'{address} {name.lower()}'.encode()).hexdigest()}"
        if _try(key) > TRIES:
            raise ValidationError(f"Too many wrong passwords. Wait for {PAUSE // 60} minutes.")
        cleaned = super().clean()
        with suppress(RedisError):
            cache.delete(key)
        return cleaned


# not in settings.UNFOLD: the site would import this package, and so itself, before it is there
admin.site.login_form = LoginForm


def _try(key: str) -> int:
    """The number of this one: counted before it is looked at, so many at once are as many as one by one."""
    with suppress(RedisError, ValueError):  # the count may have run out in between
        cache.add(key, 0, PAUSE)
        return cache.incr(key)
    return 0
