"""`/api/account`: for which account the caller acts, and a browser session's way to another one."""

from typing import Any

from django.http import Http404
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from sync.api.access import EVERYBODY, SESSION_KEY, AccountView
from sync.api.fields import IdField
from sync.api.schema import refusals
from sync.api.serializers import Answer
from sync.models import Membership
from sync.models.choices import Role


class MembershipSerializer(Answer):
    """An account and the caller's role in it."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    role = serializers.ChoiceField(Role.choices)


class UserSerializer(Answer):
    """Who is asking."""

    username = serializers.CharField()
    email = serializers.CharField()


class AccountSerializer(Answer):
    """The account that the caller acts for, and those it may switch to."""

    account = MembershipSerializer()
    accounts = MembershipSerializer(many=True)
    user = UserSerializer()
    csrfToken = serializers.CharField(help_text="For the header X-CSRFToken of a session's requests.")


class SwitchSerializer(serializers.Serializer[Any]):
    """Which account to act for."""

    accountId = IdField()


class AccountAnswerView(AccountView):
    """What both routes answer."""

    writers = EVERYBODY  # choosing what to look at is for viewers, too

    def answer(self, current: Membership) -> Response:
        user = self.request.user
        told = {
            "account": _told(current),
            "accounts": [_told(one) for one in self.memberships],
            "user": {"username": user.get_username(), "email": getattr(user, "email", "")},
            "csrfToken": get_token(self.request._request),
        }
        return Response(AccountSerializer(told).data)


class CurrentAccountView(AccountAnswerView):
    """Where the caller is."""

    @extend_schema(operation_id="account", responses={200: AccountSerializer, **refusals(401, 403)})
    def get(self, request: Request) -> Response:
        """The current account, all of the caller's, and the token that protects a session's requests."""
        return self.answer(self.membership)


class SwitchAccountView(AccountAnswerView):
    """Where a browser session goes next."""

    @extend_schema(
        operation_id="account_switch",
        request=SwitchSerializer,
        responses={200: AccountSerializer, **refusals(400, 401, 403, 404)},
    )
    def post(self, request: Request) -> Response:
        """404 for an account that the caller is no member of."""
        if isinstance(request.auth, Membership):
            raise PermissionDenied("An API token is bound to one account. Use a token of the other one.")
        serializer = SwitchSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        wanted = serializer.validated_data["accountId"]
        chosen = next((one for one in self.memberships if one.account_id == wanted), None)
        if chosen is None:
            raise Http404("You are in no account with this id.")
        request.session[SESSION_KEY] = str(wanted)
        return self.answer(chosen)


def _told(membership: Membership) -> dict[str, Any]:
    return {"id": membership.account_id, "name": membership.account.name, "role": membership.role}
