"""Calls of the Graph API with a user's token, and what every paged answer has in common."""

from collections.abc import Sequence
from typing import Any

import orjson

from providers.base import Grant
from providers.errors import PlatformFault
from providers.http import Http
from providers.meta.batch import MAX_BATCH, Ask, Reply, SubAnswer
from providers.meta.config import MetaConfig
from providers.meta.oauth import proof

Body = dict[str, Any]
Params = dict[str, str]


class Graph:
    """One user's calls, each with the app's proof where there is a secret to make it of."""

    def __init__(self, config: MetaConfig, grant: Grant, http: Http) -> None:
        self._config = config
        self._grant = grant
        self.http = http

    def get(self, path: str, params: Params, *, endpoint: str, use_case: str = "") -> Body:
        """Read."""
        return self._ask("GET", path, endpoint, use_case, params=self._proven(params))

    def post(self, path: str, form: Params, *, endpoint: str, use_case: str = "") -> Body:
        """Ask for something to be done, in a form."""
        return self._ask("POST", path, endpoint, use_case, data=self._proven(form))

    def batch(self, asks: Sequence[Ask], *, endpoint: str, use_case: str = "") -> list[Reply]:
        """Read several things in one round trip: as many of the first as the budget allows now, 50 at most.

        Each counts as a call, and has its own answer or error; None is one that Meta did not answer in
        time, to be asked again. What can't be told apart is raised, for all of them.
        """
        base, token = self._config.base, self._grant.secret
        with (
            self.http.watching(endpoint),
            self.http.metered(use_case, at_most=min(len(asks), MAX_BATCH)) as usages,
        ):
            form = self._proven(
                {"include_headers": "true", "batch": json_text([ask.part() for ask in asks[: len(usages)]])}
            )
            answer = self.http.send("POST", f"{base}/", token=token, data=form)
            usages[0] = self.http.usage_of(answer.status, answer.headers)
            self.http.check(answer)
            parts = answer.json()
            if not isinstance(parts, list):
                raise self.http.error(answer, parts)
            replies = [SubAnswer.of(part) for part in parts[: len(usages)]]
            for place, one in enumerate(replies):
                if one is not None:
                    usages[place] = self.http.usage_of(one.status, one.headers)
        return [one and one.read() for one in replies] + [None] * (len(usages) - len(replies))

    def _ask(self, method: str, path: str, endpoint: str, use_case: str, **request: Any) -> Body:
        url, token = f"{self._config.base}/{path}", self._grant.secret
        return self.http.json(method, url, endpoint=endpoint, token=token, use_case=use_case, **request)

    def _proven(self, params: Params) -> Params:
        token, app_secret = self._grant.secret, self._config.app_secret
        return params | {"appsecret_proof": proof(token, app_secret)} if app_secret else params


class Walk:
    """Guards a walk through pages: a cursor that comes back would be followed for ever, each time for a
    call."""

    def __init__(self) -> None:
        self._seen = set[object]()

    def step(self, cursor: object) -> None:
        """Go to this cursor, for the first time."""
        if cursor in self._seen:
            raise PlatformFault("Meta answered with a page cursor that it had given before")
        self._seen.add(cursor)


def continuing(after: str) -> Params:
    """From this page cursor on; an empty one is the beginning."""
    return {"after": after} if after else {}


def after_of(body: Body) -> str:
    """The cursor of the next page, or nothing. On the last one `after` stays, but `next` is absent."""
    paging = body.get("paging", {})
    return str(paging["cursors"]["after"]) if "next" in paging else ""


def json_text(value: object) -> str:
    """As Meta takes lists and objects in parameters."""
    return orjson.dumps(value).decode()
