"""One OAuth grant of an account at a provider."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from sync.crypto import decrypt, encrypt
from sync.models.account import Account
from sync.models.base import TimeOrdered
from sync.models.choices import CredentialStatus, Provider


class CredentialQuerySet(models.QuerySet["Credential"]):
    """Which credentials."""

    def lose(self) -> int:
        """The platform takes them no more: what needs them waits until their users have reconnected."""
        active = self.filter(status=CredentialStatus.ACTIVE)
        return active.update(status=CredentialStatus.RECONNECT_NEEDED, lost_at=Now())


class Credential(TimeOrdered):
    """A grant with its tokens, encrypted at rest; one credential may reach many connections.

    `secret` is what lasts: Meta's access token, Google's refresh token.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="credentials")
    provider = models.CharField(max_length=10, choices=Provider)
    name = models.CharField(max_length=120, blank=True, help_text="Whose grant it is.")
    status = models.CharField(max_length=20, choices=CredentialStatus, default=CredentialStatus.ACTIVE)
    secret_encrypted = models.TextField(editable=False)
    access_token_encrypted = models.TextField(blank=True, editable=False)  # Google's, short-lived
    access_token_expires_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True, editable=False
    )
    lost_at: "models.DateTimeField[datetime | None, datetime | None]" = models.DateTimeField(
        null=True, blank=True, editable=False
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CredentialQuerySet.as_manager()

    class Meta:
        indexes = [
            # whose runs may have waited too long
            models.Index(fields=["lost_at"], condition=Q(lost_at__isnull=False), name="credential_lost")
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_display()}: {self.name or self.pk}"

    @property
    def secret(self) -> str:
        """The lasting token, decrypted. Hand it to a client; never print, log or return it."""
        return decrypt(self.secret_encrypted)

    @secret.setter
    def secret(self, value: str) -> None:
        self.secret_encrypted = encrypt(value)
