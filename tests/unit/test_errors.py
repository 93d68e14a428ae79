"""The errors' codes are stored and documented: they are stable, and each says what comes next."""

import pytest

from providers import errors
from providers.errors import RETRYABLE, Category, LimitReached, ProviderError, Scope

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, ProviderError)]


def test_codes_are_what_they_have_always_been() -> None:
    assert {kind.__name__: (kind.code, kind.category.value) for kind in KINDS} == {
        "ProviderError": ("provider_error", "API_ERROR"),
        "LimitReached": ("limit_reached", "RATE_LIMIT"),
        "Unreachable": ("unreachable", "NETWORK_ERROR"),
        "PlatformFault": ("platform_fault", "UNKNOWN"),
        "UnknownError": ("unknown_error", "UNKNOWN"),
        "ReconnectNeeded": ("reconnect_needed", "API_ERROR"),
        "AccessDenied": ("access_denied", "API_ERROR"),
        "InvalidRequest": ("invalid_request", "VALIDATION_ERROR"),
        "VersionEnded": ("version_ended", "VALIDATION_ERROR"),
        "FieldGone": ("field_gone", "VALIDATION_ERROR"),
        "RangeTooOld": ("range_too_old", "VALIDATION_ERROR"),
        "TooMuchData": ("too_much_data", "UNKNOWN"),
        "CursorExpired": ("cursor_expired", "UNKNOWN"),
    }


@pytest.mark.parametrize("kind", RETRYABLE)
def test_only_what_may_pass_is_retried(kind: type[ProviderError]) -> None:
    assert kind.category in (Category.NETWORK_ERROR, Category.UNKNOWN)


def test_a_limit_says_what_rests_and_how_long() -> None:
    error = LimitReached("no more", retry_after=60, scope=Scope.APP, platform_code="4")

    assert (error.retry_after, error.scope, error.platform_code) == (60, Scope.APP, "4")
