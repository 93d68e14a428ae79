"""All configuration, read once from the environment; a wrong value stops the start with its name.

Each variable is explained in `.env.example`. ADTIGER_ENV decides what an unset one means: in
`production` (the default) what is unsafe to default is an error; `development` and `test` bring up
embedded servers and make their own secrets below `.adtiger/`.
"""

from datetime import timedelta
from pathlib import Path

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE

from adtiger import embedded, logs
from adtiger.env import (
    env_bool,
    env_choice,
    env_database,
    env_fraction,
    env_int,
    env_list,
    env_redis,
    env_secret,
    env_str,
    env_windows,
)
from adtiger.localsecrets import local_secret

# --- Paths and environment ----------------------------------------------------------------------
BASE_DIR = Path(__file__).resolve().parent.parent
ENVIRONMENT = env_choice("ADTIGER_ENV", choices=("production", "development", "test"), default="production")
IS_PRODUCTION = ENVIRONMENT == "production"
HOME = Path(env_str("ADTIGER_HOME", default=str(BASE_DIR / ".adtiger"))).resolve()
_UNSET = "in production (ADTIGER_ENV=development starts embedded servers instead)"

# --- Core ---------------------------------------------------------------------------------------
SECRET_KEY = env_secret("SECRET_KEY", required=IS_PRODUCTION) or local_secret(HOME, "secret_key")
DEBUG = env_bool("DEBUG", default=False)
ALLOWED_HOSTS = env_list(
    "ALLOWED_HOSTS", default="" if IS_PRODUCTION else "localhost,127.0.0.1,[::1],testserver"
)
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")
ROOT_URLCONF = "adtiger.urls"
WSGI_APPLICATION = "adtiger.wsgi.application"
LOGIN_REDIRECT_URL = "admin:index"
APPEND_SLASH = False  # the frontend's paths have none
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000  # bytes; 1,000 campaign ids need 25 kB

# --- Applications -------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "django_celery_results",
    "django_structlog",
    "sync",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "adtiger.health.answer_probes",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "sync.admin.site.refuse_nul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
WHITENOISE_USE_FINDERS = not IS_PRODUCTION  # development serves without collectstatic

# --- Database -----------------------------------------------------------------------------------
DATABASE_URL = env_secret("DATABASE_URL", required=IS_PRODUCTION, why=_UNSET) or embedded.database_url(HOME)
DATABASES = {"default": env_database(DATABASE_URL)}  # connections are kept; health checks replace dead ones
# 0: at the first use. None for a pooler that does not know prepared statements in transaction mode.
PREPARE = 0 if env_bool("PREPARE_STATEMENTS", default=True) else None
DATABASES["default"]["OPTIONS"]["prepare_threshold"] = PREPARE

# --- Redis or Valkey: budgets and cache on one, Celery's messages on the same or another ---------
_REDIS = env_redis("REDIS_URL", schemes=("redis", "rediss", "unix"), required=IS_PRODUCTION, why=_UNSET)
REDIS_URL = _REDIS or embedded.redis_url(HOME)
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "adtiger:cache",
        "OPTIONS": {"socket_timeout": 5, "socket_connect_timeout": 2},  # seconds; fail rather than hang
    }
}

# --- Celery -------------------------------------------------------------------------------------
_BROKERS = ("redis", "rediss", "redis+socket", "sentinel")
CELERY_BROKER_URL = (
    env_redis("CELERY_BROKER_URL", schemes=_BROKERS)
    or env_redis("BULLMQ_REDIS_URL", schemes=_BROKERS)
    or REDIS_URL
)
CELERY_RESULT_BACKEND = "django-db"
CELERY_RESULT_EXTENDED = True  # keeps the task's name, which the clean-up counts by
CELERY_TASK_IGNORE_RESULT = True  # a sync's result is its row in the ledger; maintenance tasks opt in
CELERY_TASK_TRACK_STARTED = False
CELERY_TASK_ACKS_LATE = True  # a worker that dies gives its message back instead of losing it
CELERY_TASK_REJECT_ON_WORKER_LOST = True  # the same for a killed child; the ledger caps the starts
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # a worker holds no message that another could serve
CELERY_DB_REUSE_MAX = 100_000  # tasks per connection, in effect for ever: three times the throughput
CELERY_TASK_SOFT_TIME_LIMIT = 540  # seconds: a drain stops by itself after 60, so this means a hang
CELERY_TASK_TIME_LIMIT = 600  # seconds: the hang did not react
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 3600,  # seconds; well over the hard limit. Lost runs come back by lease, sooner
    "unacked_restore_interval": 10,  # with throttle 1: sweep every 10 s, not every 100 s
    "unacked_restore_throttle": 1,
    "priority_steps": [0, 3, 6, 9],  # 0 is the most urgent; a hint's order is a courtesy, the claim's exact
    "sep": ":",
    "queue_order_strategy": "priority",
    "socket_timeout": 30,  # seconds; longer than any blocking pop
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 25,  # seconds; notices a half-open connection before the socket timeout
    "global_keyprefix": "adtiger:",
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # the default gives up for good after 100 tries
CELERY_WORKER_MAX_TASKS_PER_CHILD = 1000  # drains and ticks; then a fresh child, so that no leak adds up
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # kB, five times a new child's; looked at between two tasks
CELERY_WORKER_ETA_TASK_LIMIT = 100  # messages with a countdown, which a worker holds beyond its prefetch
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False  # the run has its lease; let it go on
CELERY_WORKER_SEND_TASK_EVENTS = False  # events cost 17-25 %; the ledger has heartbeats of its own
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # one JSON log format for all processes
CELERY_TASK_DEFAULT_QUEUE = "maintenance"
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5  # seconds; a schedule edited in the admin is seen within this
DJANGO_CELERY_BEAT_TZ_AWARE = True

# --- REST ---------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "sync.api.authentication.ApiTokenAuthentication",  # first: its 401 names the scheme
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "sync.api.errors.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
KNOX_TOKEN_MODEL = "sync.ApiToken"  # noqa: S105  (a model's name)
MIGRATION_MODULES = {"knox": None}  # ours replaces its only model, whose migrations would make a table
REST_KNOX = {
    "TOKEN_MODEL": KNOX_TOKEN_MODEL,
    "AUTH_HEADER_PREFIX": "Bearer",
    "TOKEN_PREFIX": "adt_",  # lets secret scanners recognise a leaked token
    "TOKEN_TTL": timedelta(days=env_int("API_TOKEN_DAYS", default=365, minimum=1)),
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AdTiger",
    "DESCRIPTION": "Start syncs of Meta and Google ad accounts, follow them, and read what they copied.",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_NAME_OVERRIDES": {  # they stand in several fields, or under the same name
        "ProviderEnum": "sync.models.choices.Provider",
        "StatusEnum": "sync.api.words.Status",
        "EntityStatusEnum": "sync.models.catalog.STATUSES",
        "ConditionEnum": "sync.models.connection.CONDITIONS",
    },
}

# --- Security -----------------------------------------------------------------------------------
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
LOGIN_URL = "admin:login"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # a new token stays on the server
HTTPS = env_bool("HTTPS", default=IS_PRODUCTION)
SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # probed inside the cluster, without TLS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0  # one year, as the preload lists want it
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
CONTENT_SECURITY_POLICY = {  # why so: docs/adr/0027-what-a-page-may-load.md
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF, UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
CREDENTIAL_KEYS = env_secret("CREDENTIAL_KEYS", required=IS_PRODUCTION) or local_secret(
    HOME, "credential_key"
)
CRON_SECRET = env_secret("CRON_SECRET")  # unset: the cron routes answer 401

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
INSIGHTS_MONTHS = env_int("INSIGHTS_MONTHS", default=40, minimum=2)  # beyond the 37 that platforms give
KEEP_RESULTS = {"SUCCESS": 10, "FAILURE": 20}  # newest result rows per maintenance task

# --- Logging ------------------------------------------------------------------------------------
LOG_LEVEL = env_choice("LOG_LEVEL", choices=("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO")
LOG_FORMAT = env_choice(
    "LOG_FORMAT", choices=("json", "console"), default="json" if IS_PRODUCTION else "console"
)
LOGGING = logs.configure(LOG_LEVEL, LOG_FORMAT)

# --- Admin --------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "AdTiger",
    "SITE_HEADER": "AdTiger",
    "SITE_SUBHEADER": "All times are in UTC",
    "SITE_SYMBOL": "sync",
    "SITE_URL": None,  # the admin is the site
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": "sync.admin.site.icon"}],
    "ENVIRONMENT": "sync.admin.site.environment",
    "DASHBOARD_CALLBACK": "sync.admin.site.dashboard",
    "SIDEBAR": {"navigation": "sync.admin.navigation.navigation"},
}
