"""Re-encrypt all stored tokens with the newest key."""

from typing import Any

from django.core.management.base import BaseCommand

from sync.crypto import rotate
from sync.models import Credential


class Command(BaseCommand):
    help = (
        "Re-encrypt all stored tokens with the first key of CREDENTIAL_KEYS; afterwards the older keys can "
        "be taken out. Safe to run twice, and while workers work. Example: `rotate_credentials`."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        count = 0
        for credential in Credential.objects.iterator():
            # each by a conditional UPDATE: a token that was renewed meanwhile is encrypted anew already
            old = credential.secret_encrypted
            Credential.objects.filter(pk=credential.pk, secret_encrypted=old).update(
                secret_encrypted=rotate(old)
            )
            if access := credential.access_token_encrypted:
                Credential.objects.filter(pk=credential.pk, access_token_encrypted=access).update(
                    access_token_encrypted=rotate(access)
                )
            count += 1
        self.stdout.write(f"Re-encrypted {count} credentials.")
