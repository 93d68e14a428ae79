"""Fields that take what the API promises and nothing that only resembles it, and say what to send."""

import re
from typing import Any

from rest_framework import serializers

from sync.models.choices import Provider

_DIGITS = re.compile("[0-9]{1,20}")  # 64 bits


class ProviderField(serializers.ChoiceField):
    """A provider by its name; the error lists the names instead of repeating what was sent."""

    def __init__(self, **options: Any) -> None:
        message = f"Choose one of: {', '.join(Provider.values)}."
        super().__init__(choices=Provider.choices, error_messages={"invalid_choice": message}, **options)


class IdField(serializers.UUIDField):
    """One of our own ids; DRF's field takes numbers, too."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class PlatformIdField(serializers.CharField):
    """A platform's id: a string of digits. A number would have lost its last ones in JavaScript."""

    default_error_messages = {"invalid": "Send an id of the platform: a string of digits."}

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not _DIGITS.fullmatch(data):
            self.fail("invalid")
        return data
