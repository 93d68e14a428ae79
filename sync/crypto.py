"""Encryption of tokens at rest, with key rotation.

CREDENTIAL_KEYS holds Fernet keys, newest first: the first encrypts, all of them decrypt. So a new
key is put in front, `manage.py rotate_credentials` re-encrypts, and the old one can go.
"""

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured


def _keys() -> MultiFernet:
    try:
        return MultiFernet(
            [Fernet(key.strip()) for key in settings.CREDENTIAL_KEYS.split(",") if key.strip()]
        )
    except ValueError:
        raise ImproperlyConfigured(
            "CREDENTIAL_KEYS must be Fernet keys, comma-separated. Make one with "
            "`python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'`."
        ) from None


def encrypt(text: str) -> str:
    """Encrypt with the newest key."""
    return _keys().encrypt(text.encode()).decode()


def decrypt(text: str) -> str:
    """Decrypt with whichever key fits."""
    try:
        return _keys().decrypt(text.encode()).decode()
    except InvalidToken:
        raise ImproperlyConfigured(
            "A stored token can't be decrypted: its key is missing from CREDENTIAL_KEYS."
        ) from None


def rotate(text: str) -> str:
    """The same text, encrypted with the newest key."""
    return _keys().rotate(text.encode()).decode()
