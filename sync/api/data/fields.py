"""Query fields that a list takes: several values behind one name, and a moment."""

import re
from collections.abc import Collection, Iterable
from typing import Any

from rest_framework import serializers

from sync.api.fields import IdField

MOST = 200  # values behind one name: the longest ids with encoded commas still fit into a URL of 8 kB
_PLATFORM_ID = re.compile(r"[0-9A-Za-z_~]{1,80}")


class WordField(serializers.CharField):
    """One of a few words; the error lists them."""

    def __init__(self, words: Collection[str], **options: Any) -> None:
        super().__init__(**options)
        self.words = words

    def to_internal_value(self, data: Any) -> str:
        if data not in self.words:
            raise serializers.ValidationError(
                f"{str(data)[:90]!r} is unknown. Choose of: {', '.join(self.words)}."
            )
        return str(data)


class PlatformWordField(serializers.CharField):
    """A platform's id: digits, Meta's `act_1`, or Google's `group~ad`."""

    def to_internal_value(self, data: Any) -> str:
        if not _PLATFORM_ID.fullmatch(data):
            raise serializers.ValidationError(f"{str(data)[:90]!r} is no id of a platform.")
        return str(data)


class SeveralField(serializers.CharField):
    """One or more values, separated by commas, as a list; each is checked."""

    def __init__(self, child: serializers.Field[Any, Any, Any, Any], **options: Any) -> None:
        super().__init__(**options)
        self.child = child

    def to_internal_value(self, data: Any) -> Any:
        values = [value.strip() for value in str(data).split(",")]
        if len(values) > MOST:
            raise serializers.ValidationError(f"Name at most {MOST} at once.")
        return [self.child.run_validation(value) for value in values]


def words(choices: Iterable[str], help_text: str = "") -> SeveralField:
    """Some of the choices, by commas."""
    known = list(choices)
    told = f"{help_text} One or more of {', '.join(known)}; separated by commas.".strip()
    return SeveralField(WordField(known), required=False, help_text=told)


def platform_ids(help_text: str) -> SeveralField:
    """Ids of the platform, by commas."""
    return SeveralField(
        PlatformWordField(), required=False, help_text=f"{help_text} One or more, separated by commas."
    )


def own_ids(help_text: str) -> SeveralField:
    """Our ids, by commas."""
    return SeveralField(IdField(), required=False, help_text=f"{help_text} One or more, separated by commas.")


def moment(help_text: str) -> serializers.DateTimeField:
    """A time; one without a zone is in UTC."""
    message = "Send a time such as 2026-11-24T18:30:00Z, or a date."
    return serializers.DateTimeField(required=False, help_text=help_text, error_messages={"invalid": message})
