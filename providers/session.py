"""Connections to the platforms: `requests` finds the way to a host once, calls then go straight to urllib3's
pool of its connections. What `requests` does around a call costs more than the call itself.

Guarantee: no redirect is followed, no cookie is kept (they would tie one tenant's calls to another's) and no
~/.netrc is read, whose password would replace a token.
"""

from collections.abc import Mapping
from http.client import HTTPException
from typing import Any, NamedTuple, cast
from urllib.parse import urlencode

import orjson
import requests
import urllib3
from requests.adapters import HTTPAdapter

NOTHING: Mapping[str, str] = {}
# What `open` raises where nothing came back. It may hold the URL or, of a header that is none, its value.
UNSENT = (requests.RequestException, urllib3.exceptions.HTTPError, HTTPException, ValueError)
_ONCE = urllib3.Retry(0, read=False)  # to try again is the caller's


class _Way(NamedTuple):
    """How a host is reached, as the environment says: its pool, and what stands before the path of a call."""

    pool: urllib3.HTTPConnectionPool
    prefix: str  # a proxy wants the whole URL, unless what goes through it is encrypted


class Session:
    """Kept connections, which the clients of a thread share, also while a call that nobody waits for any more
    still ends in another thread: urllib3's pools may be used by several.

    The environment is asked for proxies and certificates once per host: who changes them starts the process
    anew.
    """

    def __init__(self) -> None:
        self._requests = requests.Session()
        self._ways: dict[str, _Way] = {}
        self._adapter = _Adapter()
        self._headers = {name: str(value) for name, value in self._requests.headers.items()}

    def open(
        self,
        method: str,
        url: str,
        *,
        timeout: urllib3.Timeout,
        headers: Mapping[str, str] = NOTHING,
        params: Mapping[str, str] = NOTHING,
        data: Mapping[str, str] = NOTHING,
        json: Any = None,
    ) -> urllib3.BaseHTTPResponse:
        """Send a request; the answer's body is still to be read. `data` is a form.

        Raises one of `UNSENT`.
        """
        scheme, _, rest = url.partition("://")
        host, _, path = rest.partition("/")
        way = self._way_to(f"{scheme}://{host}")
        query = f"?{urlencode(params)}" if params else ""
        form, body = _body(data, json)
        return way.pool.urlopen(
            method,
            f"{way.prefix}/{path}{query}",
            body=body,
            headers={**self._headers, **form, **headers},
            redirect=False,
            assert_same_host=False,  # a proxy's pool is asked for other hosts
            preload_content=False,
            decode_content=False,
            retries=_ONCE,
            timeout=timeout,
        )

    def _way_to(self, origin: str) -> _Way:
        way = self._ways.get(origin)
        if way is None:
            found = self._requests.merge_environment_settings(origin, {}, True, None, None)
            way = self._ways[origin] = self._adapter.way_to(origin, found["proxies"], found["verify"])
        return way


class _Adapter(HTTPAdapter):
    """Chooses a pool as it does for `requests`."""

    def way_to(self, origin: str, proxies: Any, verify: Any) -> _Way:
        """The way to a scheme, host and port: nothing else of a URL decides."""
        request = requests.Request("GET", f"{origin}/").prepare()
        pool = self.get_connection_with_tls_context(request, verify, proxies=proxies)
        self.cert_verify(pool, request.url, verify, None)  # type: ignore[no-untyped-call]  # requests has no types for it
        prefix = self.request_url(request, proxies).removesuffix("/")
        return _Way(cast(urllib3.HTTPConnectionPool, pool), prefix)


def _body(data: Mapping[str, str], json: Any) -> tuple[Mapping[str, str], bytes | None]:
    """A request's body, and the header that names its kind."""
    if data:
        return {"Content-Type": "application/x-www-form-urlencoded"}, urlencode(data).encode()
    if json is not None:
        return {"Content-Type": "application/json"}, orjson.dumps(json)
    return NOTHING, None
