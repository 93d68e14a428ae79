"""The platforms, and how much of them is read, how often, and how fast."""

from datetime import timedelta

from adtiger.env import (
    env_choice,
    env_fraction,
    env_int,
    env_list,
    env_secret,
    env_str,
    env_windows,
)

# --- Providers ----------------------------------------------------------------------------------
META_APP_ID = env_str("META_APP_ID")
META_APP_SECRET = env_secret("META_APP_SECRET")
META_WEBHOOK_VERIFY_TOKEN = env_secret("META_WEBHOOK_VERIFY_TOKEN")  # unset: there is no webhook route
META_API_VERSION = env_str("META_API_VERSION", default="v26.0")
META_GRAPH_URL = env_str("META_GRAPH_URL", default="https://graph.facebook.com")
GOOGLE_CLIENT_ID = env_str("GOOGLE_CLIENT_ID")
GOOGLE_CLIENT_SECRET = env_secret("GOOGLE_CLIENT_SECRET")
GOOGLE_DEVELOPER_TOKEN = env_secret("GOOGLE_DEVELOPER_TOKEN")  # the platform ignores it since Sept 2026
GOOGLE_API_VERSION = env_str("GOOGLE_API_VERSION", default="v26")
GOOGLE_ADS_URL = env_str("GOOGLE_ADS_URL", default="https://googleads.googleapis.com")
GOOGLE_OAUTH_URL = env_str("GOOGLE_OAUTH_URL", default="https://oauth2.googleapis.com")

# --- Syncing ------------------------------------------------------------------------------------
REGION = env_str("REGION", default="default")
CONCURRENCY = {  # runs at once per provider and region, over all machines
    "meta": env_int("META_CONCURRENCY", default=2, minimum=1),
    "google": env_int("GOOGLE_CONCURRENCY", default=1, minimum=1),
}
KIND_CONCURRENCY = {  # runs of a kind at once over all providers of a region; 0: as many as their slots
    "campaigns": env_int("CAMPAIGNS_CONCURRENCY", default=0),  # the guide's 3 are Meta's 2 and Google's 1
    "ads": env_int("ADS_CONCURRENCY", default=0),
    "insights": env_int("INSIGHTS_CONCURRENCY", default=0),
}
CONNECTION_WINDOWS = {  # calls per ad account: the guide's figures
    "meta": env_windows("META_CONNECTION_WINDOWS", default="10/60,200/3600"),
    "google": env_windows("GOOGLE_CONNECTION_WINDOWS", default="5/60,100/3600"),
}
PROVIDER_WINDOWS = {  # calls per app (Meta) or project (Google): none until the platform's answers say so
    "meta": env_windows("META_PROVIDER_WINDOWS", default=""),
    "google": env_windows("GOOGLE_PROVIDER_WINDOWS", default=""),  # its day is counted in PostgreSQL instead
}
GOOGLE_ACCESS_LEVEL = env_choice(
    "GOOGLE_ACCESS_LEVEL", choices=("test", "explorer", "basic", "standard"), default="basic"
)
AUTHORS = {  # whether a sync that found changes asks who made them, for a call more
    name: env_choice(f"{name.upper()}_AUTHORS", choices=("auto", "always", "never"), default="auto")
    for name in ("meta", "google")
}
# Of the project in any 24 hours; 0: no limit.
GOOGLE_LEVEL_OPERATIONS = {"test": 15_000, "explorer": 2_880, "basic": 15_000, "standard": 0}[
    GOOGLE_ACCESS_LEVEL
]
GOOGLE_DAILY_OPERATIONS = env_int("GOOGLE_DAILY_OPERATIONS", default=GOOGLE_LEVEL_OPERATIONS)
BUDGET_RESERVE = env_fraction("BUDGET_RESERVE", default=0.2)  # the part of each window kept for people
MAX_ERROR_RATE = {  # of an app's last 500 calls; Meta wants fewer than 15 %, and not all can be avoided
    "meta": env_fraction("META_MAX_ERROR_RATE", default=0.1),
}
MAX_ATTEMPTS = env_int("MAX_ATTEMPTS", default=3, minimum=1)
RETRY_BASE = timedelta(seconds=2)  # waits 2 s, 4 s, 8 s, … before the next attempts
LEASE = timedelta(seconds=env_int("LEASE_SECONDS", default=20, minimum=2))  # renewed every sixth of it
# deaf: above the 51 s in which Celery mends a half-open connection, and the 30 s between its tries to connect
WATCHDOG_DEAF_SECONDS = env_int("WATCHDOG_DEAF_SECONDS", default=60, minimum=5)
WATCHDOG_DATABASE_SECONDS = env_int("WATCHDOG_DATABASE_SECONDS", default=120, minimum=5)  # above a failover
STOP_SECONDS = env_int("STOP_SECONDS", default=20, minimum=1)  # for a page and its answer; then it is killed
MAX_STARTS_WITHOUT_PROGRESS = 3  # a run that kills its worker this often in a row is a dead letter
DRAIN_SECONDS = 60  # a hint's worker goes on claiming this long, then a new message goes on: a fair stop
TURN_SECONDS = 300  # then a run goes back to the queue between two pages: well below the soft time limit
PATIENCE = {  # seconds; a run that waited longer rises one class, until the first
    "manual": env_int("MANUAL_PATIENCE_SECONDS", default=30, minimum=1),
    "other": env_int("PATIENCE_SECONDS", default=600, minimum=1),
}
MANUAL_SYNCS_PER_HOUR = env_int("MANUAL_SYNCS_PER_HOUR", default=5, minimum=1)
MAX_MANUAL_SYNCS_PER_DAY = env_int("MAX_MANUAL_SYNCS_PER_DAY", default=24 * MANUAL_SYNCS_PER_HOUR, minimum=1)
RECONNECT_DAYS = env_int("RECONNECT_DAYS", default=30, minimum=1)  # a run waits this long for its user
FULL_SYNC_EVERY = timedelta(hours=env_int("FULL_SYNC_HOURS", default=24, minimum=1))  # else what changed
CURSOR_LASTS = {  # how long a page cursor may be unused; unpublished, so a guess on the safe side
    "meta": timedelta(minutes=env_int("META_CURSOR_MINUTES", default=30, minimum=1)),
}
INSIGHTS_FIRST_DAYS = env_int("INSIGHTS_FIRST_DAYS", default=30, minimum=1)  # of history, at the first sync
INSIGHTS_FRESH_DAYS = env_int("INSIGHTS_FRESH_DAYS", default=2, minimum=1)  # read by every sync
INSIGHTS_DAILY_DAYS = env_int("INSIGHTS_DAILY_DAYS", default=8, minimum=1)  # then daily, and weekly after it
INSIGHTS_LATE_DAYS = env_int("INSIGHTS_LATE_DAYS", default=28, minimum=1)  # older days are final
MAX_DISCREPANCY = env_fraction("MAX_DISCREPANCY", default=0.01)  # by which the levels' sums may differ
INSIGHTS_HOURLY_LEVELS = {  # the others are read once a day: each level costs Google's day an operation
    "meta": env_list("META_HOURLY_LEVELS", default="account,campaign,ad_group,ad"),
    "google": env_list("GOOGLE_HOURLY_LEVELS", default="campaign,ad"),
}
HISTORY_DAYS = env_int("HISTORY_DAYS", default=90, minimum=1)
DEAD_LETTER_DAYS = env_int("DEAD_LETTER_DAYS", default=90, minimum=1)  # unless a person is done with them
EMPTY_HISTORY_DAYS = env_int("EMPTY_HISTORY_DAYS", default=7, minimum=1)  # scheduled runs that found nothing
CHANGE_DAYS = env_int("CHANGE_DAYS", default=400, minimum=1)
STATISTIC_DAYS = env_int("STATISTIC_DAYS", default=400, minimum=1)  # how syncs ended, day by day
INSIGHTS_MONTHS = env_int("INSIGHTS_MONTHS", default=40, minimum=2)  # beyond the 37 that platforms give
KEEP_RESULTS = {"SUCCESS": 10, "FAILURE": 20}  # newest result rows per maintenance task
