"""Whether the ad account is still the one that was connected: its currency and time zone give all else its
meaning."""

from providers.records import AdAccountRecord
from sync.models import Connection

WATCHED = {
    "currency": "amounts read before are in {old}",
    "time_zone": "days read before are days of {old}",
}


def account_changes(connection: Connection, record: AdAccountRecord) -> list[str]:
    """What the platform tells differently now; the connection takes it on, and its name too."""
    told = {name: value for name in ("name", *WATCHED) if (value := getattr(record, name))}
    sentences = []
    for name, new in told.items():
        old = getattr(connection, name)
        if name in WATCHED and old and old != new:
            words = name.replace("_", " ")
            sentences.append(
                f"The ad account's {words} was {old} and is {new}: {WATCHED[name].format(old=old)}."
            )
        setattr(connection, name, new)
    Connection.objects.filter(pk=connection.pk).exclude(**told).update(**told)
    return sentences
