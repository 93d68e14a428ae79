"""Meta's errors as a table, by code and subcode.

Never by HTTP status, type or text, which vary for the same cause; codes may be negative. The exceptions
are `TEXTS`, where only the text tells two causes apart, and a code 1 that Meta itself calls lasting.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from providers.errors import (
    AccessDenied,
    CursorExpired,
    FieldGone,
    InvalidRequest,
    LimitReached,
    PlatformFault,
    ProviderError,
    RangeTooOld,
    ReconnectNeeded,
    Scope,
    TooMuchData,
    UnknownError,
    Unreachable,
    VersionEnded,
    plain,
)
from providers.meta.tiers import LONGEST_BLOCK, TIERS
from providers.meta.usage import ADS_INSIGHTS, ADS_MANAGEMENT, HOUR, usage_of

_NUMBER = re.compile(r"-?[0-9]{1,10}")
_FIELD = re.compile(
    r"nonexisting field \((\w{1,80})\)|\(#100\) (\w{1,80}(?:, \w{1,80})*) (?:is|are) not valid"
)
DAY = 24 * HOUR
# A rolling hour frees a good part of itself in a quarter. Asking much earlier is refused, and refusals
# count against the app's access tier.
QUARTER = 900.0

Code = int | tuple[int, int]  # a code, or a code and its subcode, which goes first

RULES: dict[Code, type[ProviderError]] = {
    1: PlatformFault,
    (1, 2853001): AccessDenied,  # profile not linked
    2: PlatformFault,
    (2, 1504038): TooMuchData,  # insights: too heavy for a synchronous answer
    (2, 1504041): InvalidRequest,  # insights: breakdowns
    (2, 1504042): InvalidRequest,  # insights: metrics
    (2, 1504043): PlatformFault,  # insights: passes
    (2, 1504044): PlatformFault,  # insights: too slow for once; it passes, or is too heavy
    (-2, 2490547): PlatformFault,
    (-3, 1504045): TooMuchData,
    3: AccessDenied,  # capability
    10: AccessDenied,
    100: InvalidRequest,
    (100, 33): AccessDenied,  # gone, or not visible to the token
    (100, 1487534): TooMuchData,
    (100, 1504018): TooMuchData,
    (100, 3191001): InvalidRequest,  # insights: metrics
    101: InvalidRequest,  # the app's id or secret
    102: ReconnectNeeded,
    104: InvalidRequest,  # signature
    190: ReconnectNeeded,  # expired, revoked, password changed, app removed, …: the subcode tells
    **dict.fromkeys(range(200, 300), AccessDenied),  # permissions
    506: InvalidRequest,
    960: PlatformFault,  # a batch that took too long
    2500: InvalidRequest,  # unknown path
    2601: PlatformFault,  # a report that is not ready
    2635: VersionEnded,
    2642: CursorExpired,
    3018: RangeTooOld,
}


TEXTS: dict[tuple[int, str], type[ProviderError]] = {
    (1, "reduce the amount of data"): TooMuchData,
    (100, "nonexisting field"): FieldGone,
    (100, "valid for fields param"): FieldGone,
    (100, "weren't there while creating the report run"): PlatformFault,
}


class Rest(NamedTuple):
    """A limit: what has to rest, and how long where the headers give no figure (None: the block time)."""

    scope: Scope
    seconds: float | None
    use_case: str = ""  # its name in X-Business-Use-Case-Usage


LIMITS: dict[int, Rest] = {
    4: Rest(Scope.APP, QUARTER),
    17: Rest(Scope.AD_ACCOUNT, None),
    32: Rest(Scope.AD_ACCOUNT, QUARTER),  # the token's own limit: others of the app go on
    341: Rest(Scope.APP, QUARTER),
    368: Rest(Scope.AD_ACCOUNT, DAY),  # blocked for policy or abuse: calling again makes it worse
    613: Rest(Scope.AD_ACCOUNT, None),
    80000: Rest(Scope.USE_CASE, HOUR, ADS_INSIGHTS),
    80001: Rest(Scope.USE_CASE, HOUR, "pages"),
    80002: Rest(Scope.USE_CASE, HOUR, "instagram"),
    80003: Rest(Scope.USE_CASE, HOUR, "custom_audience"),
    80004: Rest(Scope.USE_CASE, HOUR, ADS_MANAGEMENT),
    80005: Rest(Scope.USE_CASE, HOUR, "leadgen"),
    80006: Rest(Scope.USE_CASE, HOUR, "messenger"),
    80008: Rest(Scope.USE_CASE, HOUR, "whatsapp"),
    80009: Rest(Scope.USE_CASE, HOUR, "catalog_management"),
    80014: Rest(Scope.USE_CASE, HOUR, "catalog_batch"),
}

WORDS: dict[type[ProviderError], str] = {
    AccessDenied: "The ad account is gone, or Meta does not permit the token to read it",
    CursorExpired: "Meta forgot the page cursor",
    FieldGone: "Meta no longer has a field that AdTiger asks for: set META_API_VERSION to a version that "
    "has it, or bring AdTiger up to date",
    InvalidRequest: "Meta calls the request invalid",
    PlatformFault: "Meta failed for a moment",
    RangeTooOld: "Meta keeps insights for 37 months: ask for later days",
    ReconnectNeeded: "Meta no longer accepts the token: connect the ad account again",
    TooMuchData: "Meta asks for less data at once",
    VersionEnded: "Meta has ended the version of its API that META_API_VERSION names: set a newer one",
    UnknownError: "Meta answered with an error that AdTiger does not know",
}


def error_of(status: int, body: Any, headers: Mapping[str, str]) -> ProviderError:
    """The error that an answer tells of."""
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        return Unreachable(f"Meta answered {status} without an error", http_status=status)
    code, subcode = _integer(error, "code"), _integer(error, "error_subcode")
    facts: dict[str, Any] = {
        "platform_code": plain(f"{code}/{subcode}" if subcode else code),
        "http_status": status,
        "trace_id": plain(error.get("fbtrace_id", "")),
    }
    if rest := LIMITS.get(code):
        return _limit(rest, headers, facts)
    kind = _rule(code, subcode, error, status)
    if kind is None:
        passes = error.get("is_transient") is True or status >= 500
        kind, facts["is_known"] = PlatformFault if passes else UnknownError, False
    if kind is FieldGone:
        facts["field"] = _field(str(error.get("message", "")))
    return kind(f"{WORDS[kind]} (Meta's code {facts['platform_code']})", **facts)


def _rule(code: int, subcode: int, error: Mapping[str, Any], status: int) -> type[ProviderError] | None:
    text = str(error.get("message", ""))
    for (its_code, words), kind in TEXTS.items():
        if code == its_code and words in text:
            return kind
    if (code, subcode) in RULES:
        return RULES[code, subcode]
    if code == 1 and status == 400 and error.get("is_transient") is False:
        return InvalidRequest  # "unknown", but Meta says that it will not pass
    return RULES.get(code)


def _field(text: str) -> str:
    """What the text names, if it is a name."""
    found = _FIELD.search(text)
    return next(filter(None, found.groups())) if found else ""


def _limit(rest: Rest, headers: Mapping[str, str], facts: dict[str, Any]) -> LimitReached:
    whose = {Scope.APP: "the app", Scope.AD_ACCOUNT: "this ad account"}.get(rest.scope, rest.use_case)
    return LimitReached(
        f"Meta allows {whose} no more calls for now (Meta's code {facts['platform_code']})",
        retry_after=_wait(rest, headers),
        scope=rest.scope,
        use_case=rest.use_case,
        **facts,
    )


def _wait(rest: Rest, headers: Mapping[str, str]) -> float:
    """Meta's own figure for this limit, else what its documentation says."""
    usage = usage_of(headers)
    tier = TIERS.get(usage.tier)
    block = tier.block_seconds if tier else LONGEST_BLOCK
    documented = block if rest.seconds is None else rest.seconds
    if rest.seconds is not None and not rest.use_case:
        return documented  # the headers tell of other limits than this one
    told = [one for one in usage.readings if one.scope is rest.scope and one.regain_after]
    own = [one for one in told if one.use_case == rest.use_case]
    return max((one.regain_after for one in own or told), default=documented)


def _integer(error: Mapping[str, Any], name: str) -> int:
    """Zero when there is none: no code of Meta's.."""
    value = error.get(name)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return int(value)
    return value if type(value) is int else 0
