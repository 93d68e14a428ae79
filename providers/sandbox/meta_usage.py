"""Meta's usage headers, true to the ledger; sent with every answer, refusals included."""

import math

import orjson

from providers.sandbox.constants import Platform
from providers.sandbox.ledger import Ledger, Subject

APP = Subject(Platform.META, "")
TIER = "standard_access"
INSIGHTS_THROTTLE = "X-Fb-Ads-Insights-Throttle"


def usage_headers(ledger: Ledger, account_id: str, *, tier: str, insights: bool = False) -> dict[str, str]:
    """Percentages are rounded down and may pass 100; regain times are in minutes, reset times in seconds.
    A call for `insights` tells their own load, too."""
    app = max((meter.percent for meter in ledger.meters(APP)), default=0.0)
    shares = {"call_count": int(app), "total_time": int(app / 2), "total_cputime": int(app / 3)}
    headers = {"X-App-Usage": _json(shares)}
    if not account_id:
        return headers
    meters = ledger.meters(Subject(Platform.META, account_id))
    fullest = meters[0].percent if meters else 0.0
    headers["X-Ad-Account-Usage"] = _json(
        {
            "acc_id_util_pct": round(fullest, 2),
            "reset_time_duration": math.ceil(meters[0].reset_after) if meters else 0,
            "ads_api_access_tier": tier,
        }
    )
    # The use cases, insights too, are metered by the hour: the longest window is theirs.
    hourly = max(meters, key=lambda meter: meter.limit.seconds, default=None)
    percent = hourly.percent if hourly else 0.0
    wait = math.ceil(hourly.reset_after / 60) if hourly and percent >= 100 else 0
    cases = [use_case("ads_insights", 0.0, 0, tier), use_case("ads_management", percent, wait, tier)]
    headers["X-Business-Use-Case-Usage"] = _json({account_id: cases})
    if insights:
        headers[INSIGHTS_THROTTLE] = insights_throttle(round(app, 2), round(percent, 2), tier)
    return headers


def insights_throttle(app: float, account: float, tier: str = TIER) -> str:
    """The value of its header: the load of insights on the app and on the ad account."""
    return _json({"app_id_util_pct": app, "acc_id_util_pct": account, "ads_api_access_tier": tier})


def use_case(name: str, percent: float, regain_minutes: int, tier: str = TIER) -> dict[str, object]:
    """One element of X-Business-Use-Case-Usage."""
    return {
        "type": name,
        "call_count": int(percent),
        "total_cputime": int(percent / 3),
        "total_time": int(percent / 2),
        "estimated_time_to_regain_access": regain_minutes,
        "ads_api_access_tier": tier,
    }


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
