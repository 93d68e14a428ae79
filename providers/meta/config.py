"""What the client must be told about the app and the API."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class MetaConfig:
    """`graph_url` may point at a sandbox. With an app secret every call carries its proof."""

    graph_url: str = "https://graph.facebook.com"
    version: str = "v26.0"
    app_id: str = ""
    app_secret: str = field(default="", repr=False)

    @property
    def base(self) -> str:
        """Where the API of this version begins."""
        return f"{self.graph_url.rstrip('/')}/{self.version}"
