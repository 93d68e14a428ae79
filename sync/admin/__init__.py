"""The admin: one module per model, on django-unfold. No page, form or message ever holds a stored token.

Importing it registers the pages. They decide nothing: they call the ledger and show rows.
"""

from sync.admin import (
    account,
    api_token,
    audit,
    catalog,
    change,
    connection,
    credential,
    dead_letter,
    intervention,
    limit,
    login,
    queue,
    request,
    run,
    schedules,
    unknown,
    users,
)

__all__ = [
    "account",
    "api_token",
    "audit",
    "catalog",
    "change",
    "connection",
    "credential",
    "dead_letter",
    "intervention",
    "limit",
    "login",
    "queue",
    "request",
    "run",
    "schedules",
    "unknown",
    "users",
]
