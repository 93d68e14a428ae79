"""`Connection.condition` in SQL, to filter and count by; a test holds the two together."""

from django.db.models import Case, CharField, F, Q, Value, When

from sync.models.choices import ConnectionStatus, CredentialStatus

CONDITION = Case(
    When(~Q(status=ConnectionStatus.ACTIVE), then=F("status")),
    When(~Q(credential__status=CredentialStatus.ACTIVE), then=Value(CredentialStatus.RECONNECT_NEEDED.value)),
    When(Q(paused_at__isnull=False) | Q(account__paused_at__isnull=False), then=Value("paused")),
    default=Value(ConnectionStatus.ACTIVE.value),
    output_field=CharField(),
)

WORDS = (
    ConnectionStatus.ACTIVE.value,
    "paused",
    CredentialStatus.RECONNECT_NEEDED.value,
    ConnectionStatus.ACCESS_DENIED.value,
    ConnectionStatus.DISCONNECTED.value,
)
