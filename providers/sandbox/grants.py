"""OAuth grants: who gave which tokens access to which ad accounts.

At Meta a grant is one long-lived access token; at Google a refresh token that buys short-lived
access tokens. A grant that is revoked or expired stays so: only a new one helps.
"""

import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from providers.sandbox.constants import Platform
from providers.sandbox.ledger import Clock

GOOGLE_LIFETIME = 3599  # seconds; what Google's token endpoint always answers
META_LIFETIME = 5_184_000  # 60 days


class State(StrEnum):
    """What a token is worth."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(eq=False)
class Grant:
    """One user's consent. `accounts` is what is directly reachable; None means every account without a
    manager above it (so, at Meta, every account)."""

    platform: Platform
    token: str  # Meta: access token; Google: refresh token
    user_id: str
    user_name: str
    issued_at: float
    accounts: frozenset[str] | None = None
    expires_at: float | None = None  # None: never
    revoked: bool = False
    subcode: int = 0  # Meta: which of the 190s says so


@dataclass
class Grants:
    """All tokens, and the codes that a consent page has given out."""

    clock: Clock
    access_lifetime: float = GOOGLE_LIFETIME
    _grants: dict[tuple[Platform, str], Grant] = field(default_factory=dict)
    _access: dict[str, tuple[Grant, float]] = field(default_factory=dict)
    _codes: dict[str, Platform] = field(default_factory=dict)

    def mint(
        self,
        platform: Platform,
        *,
        token: str = "",
        accounts: list[str] | None = None,
        lifetime: float | None = None,
        user_name: str = "Sam Sandbox",
    ) -> Grant:
        """A new grant; without `token` with a random one, long enough to be taken for real."""
        now = self.clock()
        grant = Grant(
            platform=platform,
            token=token or f"sandbox-{platform}-{secrets.token_urlsafe(48)}",
            user_id=str(10_150_000_000_000_000 + len(self._grants)),
            user_name=user_name,
            issued_at=now,
            accounts=None if accounts is None else frozenset(a.removeprefix("act_") for a in accounts),
            expires_at=None if lifetime is None else now + lifetime,
        )
        self._grants[platform, grant.token] = grant
        return grant

    def find(self, platform: Platform, token: str) -> Grant | None:
        """By Meta's access token or Google's refresh token."""
        return self._grants.get((platform, token))

    def state(self, grant: Grant | None) -> State:
        if grant is None:
            return State.UNKNOWN
        if grant.revoked:
            return State.REVOKED
        expired = grant.expires_at is not None and grant.expires_at <= self.clock()
        return State.EXPIRED if expired else State.VALID

    def revoke(self, grant: Grant, subcode: int = 0) -> None:
        grant.revoked, grant.subcode = True, subcode

    def expire(self, grant: Grant) -> None:
        """Google: its access tokens, so that a refresh heals; Meta: the grant itself."""
        if grant.platform == Platform.META:
            grant.expires_at = self.clock()
        for token, (owner, _) in self._access.items():
            if owner is grant:
                self._access[token] = (grant, self.clock())

    def access_token(self, grant: Grant) -> tuple[str, int]:
        """A new access token of a Google grant, and its lifetime in seconds."""
        token = f"ya29.{secrets.token_urlsafe(32)}"
        self._access[token] = (grant, self.clock() + self.access_lifetime)
        return token, int(self.access_lifetime)

    def by_access_token(self, token: str) -> tuple[Grant | None, State]:
        """Whose access token this is, and whether it still opens anything."""
        grant, expires_at = self._access.get(token, (None, 0.0))
        if self.state(grant) != State.VALID:
            return grant, self.state(grant)
        return grant, State.VALID if expires_at > self.clock() else State.EXPIRED

    def issue_code(self, platform: Platform) -> str:
        """What a consent page hands to the application; good once."""
        code = f"4/{secrets.token_urlsafe(24)}"
        self._codes[code] = platform
        return code

    def redeem(self, platform: Platform, code: str) -> bool:
        return self._codes.pop(code, None) == platform
