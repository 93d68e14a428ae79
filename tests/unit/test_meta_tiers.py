"""What Meta documents per access tier, and that nothing is made up for others."""

import pytest

from providers.meta.tiers import windows_of


@pytest.mark.parametrize(
    ("tier", "use_case", "windows"),
    [
        ("development_access", "", ((60, 300),)),
        ("development_access", "ads_management", ((300, 3600),)),
        ("development_access", "ads_insights", ((600, 3600),)),
        ("standard_access", "", ((9_000, 300),)),
        ("standard_access", "ads_management", ((100_000, 3600),)),
        ("standard_access", "ads_insights", ((190_000, 3600),)),
        ("standard_access", "pages", ()),
        ("", "", ()),
        ("gold_access", "ads_insights", ()),
    ],
)
def test_a_tier_has_its_documented_windows(
    tier: str, use_case: str, windows: tuple[tuple[int, int], ...]
) -> None:
    assert windows_of(tier, use_case) == windows
