"""Who may reach which customer at Google Ads: token, login-customer-id, the customer's own state."""

from aiohttp import web

from providers.sandbox.constants import Platform
from providers.sandbox.google_errors import GoogleError, access_denied, request_error
from providers.sandbox.grants import Grant, State
from providers.sandbox.state import Sandbox
from providers.sandbox.wire import bearer
from providers.sandbox.world import Account


def find_grant(sandbox: Sandbox, request: web.Request) -> Grant:
    """Whose access token this is."""
    token = bearer(request)
    if not token:
        raise GoogleError(401, "", "CREDENTIALS_MISSING")
    grant, state = sandbox.grants.by_access_token(token)
    if grant is None:
        raise GoogleError(401, "", "ACCESS_TOKEN_TYPE_UNSUPPORTED")
    if state != State.VALID:
        names = {State.EXPIRED: "OAUTH_TOKEN_EXPIRED", State.REVOKED: "OAUTH_TOKEN_REVOKED"}
        raise GoogleError(401, "authentication", names[state], "The OAuth token is no longer valid.")
    return grant


def direct_accounts(sandbox: Sandbox, grant: Grant) -> list[Account]:
    """What the user was invited to."""
    return [account for account in sandbox.world.accounts(Platform.GOOGLE) if _is_direct(grant, account)]


def _is_direct(grant: Grant, account: Account) -> bool:
    """The named customers, or all that have no manager."""
    if grant.accounts is None:
        return account.is_direct or not account.manager_id
    return account.id in grant.accounts


def find_customer(sandbox: Sandbox, request: web.Request, grant: Grant) -> Account:
    """The customer of the path, if the grant reaches it in the way that the headers say."""
    customer_id = request.match_info["customer"]
    if not customer_id.isdigit():
        raise request_error("INVALID_CUSTOMER_ID", f"Invalid customer ID '{customer_id}'.", "customer_id")
    login_id = request.headers.get("login-customer-id", "")
    if login_id and not login_id.isdigit():
        raise GoogleError(400, "header", "INVALID_LOGIN_CUSTOMER_ID", "The login customer ID is not valid.")
    account = sandbox.world.account(Platform.GOOGLE, customer_id)
    if account is None:
        raise access_denied()
    entrance = sandbox.world.account(Platform.GOOGLE, login_id) if login_id else account
    if entrance is None or not _is_direct(grant, entrance):
        raise access_denied()
    if account not in sandbox.world.below(entrance):
        raise access_denied("INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION")
    if account.status != "ENABLED":
        raise access_denied("CUSTOMER_NOT_ENABLED")
    return account
