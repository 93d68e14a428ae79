"""The sandbox's names and figures that clients, tests and the demo have to know.

None of the secrets here opens anything outside the sandbox.
"""

from enum import StrEnum


class Platform(StrEnum):
    """The two platforms that are imitated."""

    META = "meta"
    GOOGLE = "google"


class Kind(StrEnum):
    """What an ad account holds, from the top down."""

    CAMPAIGNS = "campaigns"
    AD_GROUPS = "ad_groups"
    ADS = "ads"


VERSION = 26  # of both APIs, the one that the clients ask for

META_APP_ID = "1029384756574839"
META_APP_SECRET = "sandbox-meta-app-secret"  # noqa: S105 - invented
META_TOKEN = "sandbox-meta-token"  # noqa: S105 - invented

GOOGLE_CLIENT_ID = "sandbox-client.apps.googleusercontent.com"
GOOGLE_CLIENT_SECRET = "sandbox-google-client-secret"  # noqa: S105 - invented
GOOGLE_REFRESH_TOKEN = "sandbox-google-refresh"  # noqa: S105 - invented
GOOGLE_SCOPE = "https://www.googleapis.com/auth/adwords"

RECORDED_META_ACCOUNT = "1700252260223815"
RECORDED_GOOGLE_CUSTOMER = "2121450128"
