"""Plain callers of both platforms that know no more than the wire."""

from typing import Any

import requests

from providers.sandbox.accounts import MANAGER
from providers.sandbox.constants import (
    GOOGLE_CLIENT_ID,
    GOOGLE_CLIENT_SECRET,
    GOOGLE_REFRESH_TOKEN,
    META_TOKEN,
    Platform,
)
from providers.sandbox.process import Sandbox

TIMEOUT = 20  # seconds; nothing here takes one


class Graph:
    """Calls the Graph API."""

    def __init__(self, sandbox: Sandbox, token: str = META_TOKEN) -> None:
        self.base = f"{sandbox.url}/meta"
        self.token = token

    def ask(self, path: str, **params: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        return requests.get(f"{self.base}/v26.0/{path}", params=params, headers=headers, timeout=TIMEOUT)

    def get(self, path: str, **params: Any) -> Any:
        """The body of a call that must succeed."""
        response = self.ask(path, **params)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, path: str, **form: Any) -> Any:
        """The body of a POST that must succeed."""
        headers = {"Authorization": f"Bearer {self.token}"}
        response = requests.post(f"{self.base}/v26.0/{path}", data=form, headers=headers, timeout=TIMEOUT)
        assert response.status_code == 200, response.text
        return response.json()

    def error(self, path: str, **params: Any) -> tuple[int, int, int | None]:
        """HTTP status, code and subcode of a call that must fail."""
        response = self.ask(path, **params)
        error = response.json()["error"]
        assert error["fbtrace_id"]
        return response.status_code, error["code"], error.get("error_subcode")

    def all(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """All rows of a listing, page after page."""
        rows: list[dict[str, Any]] = []
        while True:
            page = self.get(path, **params)
            rows += page["data"]
            if "next" not in page.get("paging", {}):
                return rows
            params["after"] = page["paging"]["cursors"]["after"]


class Ads:
    """Calls Google Ads."""

    def __init__(
        self, sandbox: Sandbox, refresh_token: str = GOOGLE_REFRESH_TOKEN, login: str = MANAGER
    ) -> None:
        self.base = f"{sandbox.url}/google/v26"
        self.token_url = f"{sandbox.url}/google-oauth/token"
        self.login = login
        self.access_token = self.refresh(refresh_token).json()["access_token"]

    def refresh(self, refresh_token: str, **form: str) -> requests.Response:
        client = {"client_id": GOOGLE_CLIENT_ID, "client_secret": GOOGLE_CLIENT_SECRET}
        grant = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return requests.post(self.token_url, data=client | grant | form, timeout=TIMEOUT)

    @property
    def headers(self) -> dict[str, str]:
        login = {"login-customer-id": self.login} if self.login else {}
        return {"Authorization": f"Bearer {self.access_token}"} | login

    def ask(self, customer: str, method: str, **body: Any) -> requests.Response:
        url = f"{self.base}/customers/{customer}/googleAds:{method}"
        return requests.post(url, json=body, headers=self.headers, timeout=TIMEOUT)

    def stream(self, customer: str, query: str) -> list[dict[str, Any]]:
        """The rows of a stream that must succeed."""
        response = self.ask(customer, "searchStream", query=query)
        assert response.status_code == 200, response.text
        return [row for chunk in response.json() for row in chunk.get("results", [])]

    def error(self, customer: str, query: str = "SELECT campaign.id FROM campaign") -> tuple[int, str, str]:
        """HTTP status, family and name of a query that must fail."""
        response = self.ask(customer, "search", query=query)
        (item,) = response.json()["error"]["details"][0]["errors"]
        ((family, name),) = item["errorCode"].items()
        return response.status_code, family, name


def open_account(sandbox: Sandbox, platform: Platform, **values: Any) -> str:
    """A new account, so that no other test's edits are in it. Meta's comes as `act_…`."""
    account: str = sandbox.control("accounts", platform=platform, **values)["id"]
    return f"act_{account}" if platform == Platform.META else account
