"""The kinds of faults: what each is called and which details it reads. The README says what they mean.

Guarantee: a detail or a platform that a kind knows nothing of is refused, so no fault is weaker than it
was meant to be by a slip of the pen.
"""

from enum import StrEnum

from providers.sandbox.constants import Platform


class FaultKind(StrEnum):
    """What may happen to a call."""

    # The platform refuses.
    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    PLATFORM_ERROR = "platform_error"
    UNKNOWN_ERROR = "unknown_error"
    TOO_MUCH_DATA = "too_much_data"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - a name
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a name
    ACCESS_DENIED = "access_denied"
    EXPIRED_CURSOR = "expired_cursor"
    # Its answer is not what it should be.
    STREAM_ERROR = "stream_error"
    REPEAT_ROWS = "repeat_rows"
    REPEAT_PAGE = "repeat_page"
    HIDE_ROWS = "hide_rows"
    UNKNOWN_WORDS = "unknown_words"
    UNKNOWN_KEYS = "unknown_keys"
    USAGE = "usage"
    ODD_HEADERS = "odd_headers"
    REPORT = "report"
    TOO_WIDE = "too_wide"
    # Something happens to the answer on its way.
    HTML = "html"
    REDIRECT = "redirect"
    EMPTY = "empty"
    WRONG_JSON = "wrong_json"
    TRUNCATED = "truncated"
    WRONG_LENGTH = "wrong_length"
    CUT = "cut"
    SILENCE = "silence"
    SLOW = "slow"


class Fate(StrEnum):
    """What becomes of a report run."""

    NONE = ""
    LATE = "late"  # begins `seconds` later
    HIDDEN = "hidden"  # can't be seen for `seconds`
    EARLY = "early"  # says 100 % for `seconds` while it runs
    STUCK = "stuck"  # runs for ever
    FAILED = "failed"
    SKIPPED = "skipped"


DETAILS: dict[FaultKind, frozenset[str]] = {
    kind: frozenset(details.split())
    for kind, details in {
        FaultKind.RATE_LIMIT: "code subcode minutes name retry_after scope",
        FaultKind.SERVER_ERROR: "status is_transient",
        FaultKind.PLATFORM_ERROR: "code subcode status is_transient message family name",
        FaultKind.UNKNOWN_ERROR: "code subcode status family name",
        FaultKind.TOO_MUCH_DATA: "rows cells",
        FaultKind.TOO_WIDE: "rows cells late",
        FaultKind.ODD_HEADERS: "form",
        FaultKind.REPORT: "fate seconds code subcode message silent",
        FaultKind.TOKEN_EXPIRED: "",
        FaultKind.TOKEN_REVOKED: "subcode",
        FaultKind.ACCESS_DENIED: "code name",
        FaultKind.EXPIRED_CURSOR: "",
        FaultKind.STREAM_ERROR: "parts",
        FaultKind.REPEAT_ROWS: "rows",
        FaultKind.REPEAT_PAGE: "",
        FaultKind.HIDE_ROWS: "rows",
        FaultKind.UNKNOWN_WORDS: "word",
        FaultKind.UNKNOWN_KEYS: "",
        FaultKind.USAGE: "whose percent minutes type",
        FaultKind.HTML: "status",
        FaultKind.REDIRECT: "status url",
        FaultKind.EMPTY: "status",
        FaultKind.WRONG_JSON: "status text",
        FaultKind.TRUNCATED: "",
        FaultKind.WRONG_LENGTH: "by",
        FaultKind.CUT: "parts headers",
        FaultKind.SILENCE: "parts headers",
        FaultKind.SLOW: "seconds pause",
    }.items()
}
# What only one platform does.
ONLY = {
    FaultKind.TOO_MUCH_DATA: Platform.META,
    FaultKind.TOO_WIDE: Platform.META,
    FaultKind.ODD_HEADERS: Platform.META,
    FaultKind.REPORT: Platform.META,
    FaultKind.USAGE: Platform.META,
    FaultKind.STREAM_ERROR: Platform.GOOGLE,
    FaultKind.UNKNOWN_KEYS: Platform.GOOGLE,
    FaultKind.UNKNOWN_WORDS: Platform.GOOGLE,
}
# Until cleared, for these are about the account or its size, not about one call.
LASTING = frozenset({FaultKind.ACCESS_DENIED, FaultKind.TOO_MUCH_DATA, FaultKind.TOO_WIDE})
# Beside another fault, not instead of it.
COMPANIONS = frozenset({FaultKind.SLOW, FaultKind.USAGE, FaultKind.ODD_HEADERS})
# About one endpoint only.
ENDPOINTS = {FaultKind.REPORT: "insights_async"}
# Only calls that continue a listing; a stream of Google's repeats rows of its own.
CONTINUING = frozenset(
    {
        (Platform.META, FaultKind.EXPIRED_CURSOR),
        (Platform.META, FaultKind.REPEAT_PAGE),
        (Platform.META, FaultKind.REPEAT_ROWS),
        (Platform.GOOGLE, FaultKind.EXPIRED_CURSOR),
        (Platform.GOOGLE, FaultKind.REPEAT_PAGE),
    }
)


def check(kind: FaultKind, platform: Platform, details: set[str]) -> None:
    """Refuse what the kind does not know, and say what it knows."""
    if platform != ONLY.get(kind, platform):
        raise ValueError(f"a fault of kind {kind} is only {ONLY[kind]}'s")
    if unknown := sorted(details - DETAILS[kind]):
        known = ", ".join(sorted(DETAILS[kind])) or "none"
        raise ValueError(f"a fault of kind {kind} has no {unknown[0]!r}; its details: {known}")
