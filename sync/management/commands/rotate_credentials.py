"""Re-encrypt all stored tokens with the newest key."""

from typing import Any

from django.core.management.base import CommandError

from sync.management.command import AdTigerCommand
from sync.management.rotate import rotate_all


class Command(AdTigerCommand):
    help = (
        "Re-encrypt all stored tokens with the first key of CREDENTIAL_KEYS. Safe to run twice, and while "
        "workers work. Exit code 1 when a token's key is missing; at 0 the older keys can be taken out."
    )
    examples = ("rotate_credentials",)

    def handle(self, *args: Any, **options: Any) -> None:
        rotated = rotate_all()
        self.stdout.write(f"Re-encrypted {rotated.count} credentials.")
        if missing := rotated.undecryptable:
            ids = ", ".join(map(str, missing))
            raise CommandError(
                f"CREDENTIAL_KEYS lacks the key of {len(missing)}: put it back, or connect again: {ids}."
            )
