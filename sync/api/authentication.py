"""Who is asking, and for which account."""

from knox.auth import TokenAuthentication


class ApiTokenAuthentication(TokenAuthentication):  # type: ignore[misc]
    """`Authorization: Bearer <API token>`; a token is bound to one account."""
