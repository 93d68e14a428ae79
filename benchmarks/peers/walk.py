"""A walk through a Meta account without a product: the very questions of AdTiger's client, page by page."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
import requests

from providers.meta.client import PAGE_SIZE
from providers.meta.fields import EDGES, FIELDS, STATUSES
from providers.records import Stream

Row = dict[str, Any]


class Walk(NamedTuple):
    """Which account, and how it is reached."""

    url: str  # the sandbox's
    token: str
    account: str

    def pages(self, stream: Stream) -> Iterator[list[Row]]:
        """All objects of a stream, as Meta sends them."""
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {self.token}"
        params = {
            "fields": FIELDS[stream],
            "effective_status": orjson.dumps(STATUSES[stream]).decode(),
            "limit": str(PAGE_SIZE),
        }
        edge = f"{self.url}/meta/v26.0/{self.account}/{EDGES[stream]}"
        while True:
            body = orjson.loads(session.get(edge, params=params).content)
            yield body["data"]
            if "next" not in body.get("paging", {}):
                return
            params["after"] = body["paging"]["cursors"]["after"]
