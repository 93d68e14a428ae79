"""For which account a caller acts, and what the caller's role allows there.

Viewers read, members and owners also sync. Tenancy itself lies in the querysets
(`of_account`): somebody else's id is unknown here, not forbidden.
"""

from collections.abc import Collection

from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.views.decorators.cache import never_cache
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.views import APIView

from sync.api.parsers import JsonParser
from sync.models import Account, Membership
from sync.models.choices import Role

SYNCERS = frozenset({Role.MEMBER, Role.OWNER})
EVERYBODY = frozenset(Role)
SESSION_KEY = "account_id"  # the account that a browser session works in


def memberships_of(request: Request) -> list[Membership]:
    """The caller's accounts, in a stable order; for a token the one that it is bound to."""
    if isinstance(request.auth, Membership):
        return [request.auth]
    mine = Membership.objects.filter(user=request.user)  # type: ignore[misc]  # signed in
    return list(mine.select_related("account__plan").order_by("account_id"))


def current_of(memberships: list[Membership], request: Request) -> Membership:
    """The one that the caller acts under: the token's, the session's choice, or else the first."""
    if not memberships:
        raise PermissionDenied("You are not a member of any account. Ask an owner to add you.")
    if isinstance(request.auth, Membership):
        return request.auth
    chosen = request.session.get(SESSION_KEY)
    return next((one for one in memberships if str(one.account_id) == chosen), memberships[0])


class RoleAllows(BasePermission):
    """Reading is for every member; what else, the view says."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        assert isinstance(view, AccountView)  # noqa: S101  (for the type checker; nothing else uses it)
        role = view.membership.role  # also refuses who is no member at all
        if request.method in SAFE_METHODS or role in view.writers:
            return True
        raise PermissionDenied(f"A {role} can look, but not do this. Ask an owner of the account.")


@method_decorator(never_cache, name="dispatch")  # no proxy hands one tenant's answer to another
class AccountView(APIView):
    """Base of the views that act in the caller's account."""

    permission_classes = [IsAuthenticated, RoleAllows]
    parser_classes = [JsonParser]
    writers: Collection[str] = SYNCERS  # the roles that may use methods which change something

    @cached_property
    def memberships(self) -> list[Membership]:
        """All of the caller's."""
        return memberships_of(self.request)

    @cached_property
    def membership(self) -> Membership:
        """The one that this request acts under."""
        return current_of(self.memberships, self.request)

    @property
    def account(self) -> Account:
        """The account that this request is about."""
        return self.membership.account
