"""The tick looks for these every few seconds. Made beside the writers, so not within a transaction."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sync", "0012_remember_when_a_grant_was_lost")]

    operations = [
        AddIndexConcurrently(
            "credential",
            models.Index(
                fields=["lost_at"], condition=models.Q(lost_at__isnull=False), name="credential_lost"
            ),
        ),
        AddIndexConcurrently(
            "connection",
            models.Index(fields=["id"], condition=~models.Q(status="active"), name="connection_not_active"),
        ),
    ]
