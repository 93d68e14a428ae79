"""The cursor of a report run survives being stored, and nothing else is taken for one."""

import pytest

from providers.meta.reports import Run


@pytest.mark.parametrize(
    "run",
    [
        Run("120210000000007919", "7d_click_1d_view", 1, 1_795_000_000),
        Run("7", "1d_click", 3, 1, looks=9, after="QVFIUi7:x\n=="),
    ],
)
def test_a_run_is_read_back_as_it_was(run: Run) -> None:
    assert Run.decode(run.encode()) == run


@pytest.mark.parametrize(
    "cursor", [None, "", "QVFIUi7", "run:", "run:x:a:1:1:0:", "run:7:a:1:1:0", "run:7:1:1:0:"]
)
def test_what_is_no_run_is_none(cursor: str | None) -> None:
    assert Run.decode(cursor) is None
