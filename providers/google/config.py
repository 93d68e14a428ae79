"""What the client must be told about the project and the API."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class GoogleConfig:
    """The URLs may point at a sandbox. The developer token is optional: the platform ignores it."""

    ads_url: str = "https://googleads.googleapis.com"
    oauth_url: str = "https://oauth2.googleapis.com"
    version: str = "v26"
    client_id: str = ""
    client_secret: str = field(default="", repr=False)
    developer_token: str = field(default="", repr=False)

    @property
    def base(self) -> str:
        """Where the API of this version begins."""
        return f"{self.ads_url.rstrip('/')}/{self.version}"
