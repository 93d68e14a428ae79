"""What stands in place of a person: the same for the same one, and nobody can tell who it is."""

import hmac

DIGITS = 16


def pseudonym_of(person: str, *, secret: str, account_id: str) -> str:
    """Of a person in an ad account, as long as the secret is the same; empty where there is nobody, or no
    secret that keeps it one."""
    if not person or not secret:
        return ""
    message = f"{account_id} {person.strip().lower()}".encode()
    return hmac.digest(secret.encode(), message, "sha256").hex()[:DIGITS]
