"""drift: what the platforms send that AdTiger does not know, shown and cleared."""

from providers.drift import DriftKind, Oddity
from sync.models import Drift
from tests.commands import run, run_json

WORD = Oddity(DriftKind.WORD, "campaigns.objective", "OUTCOME_NEW")


def test_the_command_shows_and_clears(db: None) -> None:
    Drift.objects.record("meta", {WORD: 2})
    Drift.objects.record("google", {Oddity(DriftKind.KEY, "ads", "colour"): 1})

    assert "OUTCOME_NEW" in run("drift")
    (shown,) = run_json("drift", "--provider", "meta", "--kind", "word")["drift"]
    assert (shown["place"], shown["value"], shown["count"]) == ("campaigns.objective", "OUTCOME_NEW", 2)
    assert run("drift", "--kind", "key", "--clear") == "Cleared 1.\n"
    assert run("drift", "--clear") == "Cleared 1.\n"
    assert "was known" in run("drift")
