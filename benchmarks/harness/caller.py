"""Somebody who asks the API, in this process: with the product's routes, permissions and serializers."""

from typing import Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sync.models import Account, ApiToken, Membership
from sync.models.choices import Role

OK = 200


class Caller:
    """A member of the account, by token."""

    def __init__(self, account: Account) -> None:
        user, _ = User.objects.get_or_create(username="bench")
        Membership.objects.get_or_create(account=account, user=user, defaults={"role": Role.MEMBER})
        _, token = ApiToken.objects.create(user=user, account=account)
        self._client, self._headers = Client(), {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The answer, which must be a good one."""
        response = self._client.get(path, query, headers=self._headers)
        assert response.status_code == OK, response.content
        body: dict[str, Any] = response.json()
        return body

    def csv_lines(self, path: str, **query: Any) -> int:
        """How many lines an export has; none is kept."""
        response = self._client.get(path, {**query, "format": "csv"}, headers=self._headers)
        assert response.status_code == OK, response
        return sum(chunk.count(b"\n") for chunk in response)

    def queries(self, path: str, **query: Any) -> int:
        """How many statements the answer takes."""
        with CaptureQueriesContext(connection) as captured:
            self.get(path, **query)
        return len(captured)
