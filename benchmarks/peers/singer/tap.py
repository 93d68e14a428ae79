"""MeltanoLabs' tap-facebook against the sandbox: its host and its lists of fields and statuses are replaced.

Runs in an environment of its own. Writes Singer messages, and its bookmarks to PEER_STATE.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from facebook_business.session import FacebookSession
from tap_facebook.client import FacebookStream, IncrementalFacebookStream
from tap_facebook.streams.ad_accounts import AdAccountsStream
from tap_facebook.streams.ad_insights import AdsInsightStream
from tap_facebook.tap import TapFacebook

VERSION = "v26.0"
STREAMS = {"campaigns": "campaigns", "adsets": "ad_groups", "ads": "ads"}
FIELDS = json.loads(os.environ["PEER_FIELDS"])  # those that the sandbox knows
STATUSES = json.loads(os.environ["PEER_STATUSES"])  # or it would not see archived and deleted ones
STATE = Path(os.environ["PEER_STATE"])


def main() -> None:
    base = f"{os.environ['PEER_URL']}/meta"
    FacebookSession.GRAPH = base
    FacebookStream.url_base = property(lambda stream: f"{base}/{VERSION}/act_{stream.config['account_id']}")
    AdsInsightStream._get_selected_columns = lambda stream: FIELDS["insights"].split(",")
    AdAccountsStream.url_base = property(lambda stream: f"{base}/{VERSION}/me")
    ask = IncrementalFacebookStream.get_url_params
    IncrementalFacebookStream.get_url_params = lambda stream, *args: (
        ask(stream, *args) | {"effective_status": json.dumps(STATUSES[STREAMS[stream.name]])}
    )
    tap = TapFacebook(config=_config(), state=json.loads(STATE.read_text()) if STATE.exists() else {})
    for name, stream in tap.streams.items():
        if name in STREAMS and not os.environ.get("PEER_METRICS_UNTIL"):
            stream.path = f"/{name}?fields={FIELDS[STREAMS[name]]}"
            stream.sync()
        elif name.startswith("adsinsights") and os.environ.get("PEER_METRICS_SINCE"):
            stream.sync()
    STATE.write_text(json.dumps(tap.state))


def _config() -> dict[str, str]:
    return {
        "access_token": os.environ["PEER_TOKEN"],
        "account_id": os.environ["PEER_ACCOUNT"],
        "api_version": VERSION,
        "end_date": os.environ.get("PEER_METRICS_UNTIL") or str(datetime.now(UTC).date()),
        "start_date": os.environ.get("PEER_METRICS_SINCE") or "2000-01-01",
    }


if __name__ == "__main__":
    main()
