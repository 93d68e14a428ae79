"""Meta's tokens: the proof that goes with each call, and the exchange for a token that lasts."""

import hashlib
import hmac
from typing import NamedTuple

from providers.http import reading, send
from providers.meta.config import MetaConfig
from providers.meta.errors import error_of
from providers.session import Session


class LongLivedToken(NamedTuple):
    """A token good for about 60 days. Its repr hides it."""

    token: str
    lifetime: float | None  # seconds; None where Meta does not tell

    def __repr__(self) -> str:
        return f"LongLivedToken(lifetime={self.lifetime})"


def proof(token: str, app_secret: str) -> str:
    """`appsecret_proof`: shows that the call comes from the app, not from who found its token."""
    return hmac.new(app_secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def extend(config: MetaConfig, session: Session, token: str) -> LongLivedToken:
    """Exchange a token for a new one of full lifetime. In a form, so that no URL holds a secret."""
    form = {
        "grant_type": "fb_exchange_token",
        "client_id": config.app_id,
        "client_secret": config.app_secret,
        "fb_exchange_token": token,
    }
    answer = send(session, "Meta", "POST", f"{config.base}/oauth/access_token", data=form)
    body = answer.json()
    if answer.status >= 300 or "error" in body:
        raise error_of(answer.status, body, answer.headers)
    with reading("Meta"):
        lifetime = body.get("expires_in")
        return LongLivedToken(body["access_token"], None if lifetime is None else float(lifetime))
