"""PostgreSQL, Redis or Valkey, and Celery, with the reason for each of its numbers."""

from adtiger import embedded
from adtiger.env import env_bool, env_database, env_redis, env_secret
from adtiger.settings.base import HOME, IS_PRODUCTION, UNSET

# --- Database -----------------------------------------------------------------------------------
DATABASE_URL = env_secret("DATABASE_URL", required=IS_PRODUCTION, why=UNSET) or embedded.database_url(HOME)
DATABASES = {"default": env_database(DATABASE_URL)}  # connections are kept; health checks replace dead ones
# 0: at the first use. None for a pooler that does not know prepared statements in transaction mode.
PREPARE = 0 if env_bool("PREPARE_STATEMENTS", default=True) else None
DATABASES["default"]["OPTIONS"]["prepare_threshold"] = PREPARE

# --- Redis or Valkey: budgets and cache on one, Celery's messages on the same or another --------
_REDIS = env_redis("REDIS_URL", schemes=("redis", "rediss", "unix"), required=IS_PRODUCTION, why=UNSET)
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
