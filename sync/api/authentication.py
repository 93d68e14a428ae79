"""Who is asking: a person with a browser session, or an API token, which is bound to one account."""

import re

from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed

from sync.models import ApiToken, Membership

_TOKEN = re.compile(rb"[\x21-\x7e]{1,200}")  # what a header may hold; ours have 68 characters


class ApiTokenAuthentication(TokenAuthentication):  # type: ignore[misc]  # knox has no types
    """`Authorization: Bearer <API token>`. `request.auth` is the membership that the token acts under.

    A token is worth what its user may do in its account now: nothing, once the membership has ended.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[object, Membership]:
        if not _TOKEN.fullmatch(token):
            raise AuthenticationFailed("This is no API token.")
        user, membership = super().authenticate_credentials(token)
        return user, membership

    def validate_user(self, auth_token: ApiToken) -> tuple[object, Membership]:
        user, _ = super().validate_user(auth_token)
        membership = (
            Membership.objects.select_related("account__plan")
            .filter(account_id=auth_token.account_id, user=user)
            .first()
        )
        if membership is None:
            raise AuthenticationFailed("The token's user is no longer a member of its account.")
        return user, membership
