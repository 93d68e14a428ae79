"""Re-encrypt the stored tokens with the newest key.

Guarantee: a token that a worker renews at the same moment is left alone, as that has the newest key
already; and one that no key fits is named, and stops no other.
"""

from dataclasses import dataclass, field
from uuid import UUID

from cryptography.fernet import InvalidToken

from sync.crypto import rotate
from sync.models import Credential

BATCH = 500  # rows in memory at once


@dataclass
class Rotated:
    """How many credentials have the newest key now, and which have one that is missing."""

    count: int = 0
    undecryptable: list[UUID] = field(default_factory=list)


def rotate_all() -> Rotated:
    """Safe to run twice, to break off, and while workers work: each token is one conditional UPDATE."""
    result = Rotated()
    for credential in Credential.objects.order_by("pk").iterator(chunk_size=BATCH):
        try:
            _rotate(credential)
        except InvalidToken:
            result.undecryptable.append(credential.pk)
        else:
            result.count += 1
    return result


def _rotate(credential: Credential) -> None:
    for column in ("secret_encrypted", "access_token_encrypted"):
        if old := getattr(credential, column):
            same = Credential.objects.filter(pk=credential.pk, **{column: old})
            same.update(**{column: rotate(old)})
