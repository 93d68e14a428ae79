"""What commits together: a chunk with its checkpoint, a success with what its connection knows of it."""

from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction

from providers.sandbox.process import Sandbox
from sync.engine.chunk import chunk
from sync.engine.execute import execute
from sync.ledger import finish
from sync.ledger.claim import claim
from sync.ledger.lease import Lease
from sync.models import Account, Connection, SeenIds, SyncRun
from sync.models.choices import EntityKind, RunState
from tests.factories import make_run
from tests.platforms import connect, platform  # noqa: F401  (fixtures)


def claimed() -> SyncRun:
    run = claim("meta", "default", worker="test")
    assert run is not None
    return run


def test_what_a_chunk_wrote_is_gone_where_its_checkpoint_is_not_written(connection: Connection) -> None:
    make_run(connection)
    run = claimed()

    with (
        pytest.raises(IntegrityError),
        chunk(run, Lease.of(run), calls=1, ads_count=-1),  # which the database refuses
    ):
        seen = SeenIds.objects.create(run=run, entity=EntityKind.AD, external_ids=["1"])

    assert not SeenIds.objects.filter(pk=seen.pk).exists()


def test_a_success_that_is_not_committed_is_none_and_its_connection_knows_of_none(
    platform: Sandbox, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    succeed = finish.succeed

    def lose_the_database(*args: Any, **options: Any) -> None:
        with transaction.atomic():
            succeed(*args, **options)
            raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(finish, "succeed", lose_the_database)
    connection = connect(platform, account, "meta", campaigns=1, ad_groups=1, ads=1)
    run = make_run(connection)

    with pytest.raises(OperationalError):
        execute(claimed())

    run.refresh_from_db()
    connection.refresh_from_db()
    assert (run.state, connection.last_sync_at) == (RunState.RUNNING, None)  # its lease runs out
