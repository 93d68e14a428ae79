"""The product's settings on test servers: a home of their own, one Valkey database per pytest process."""

import os

os.environ.setdefault("ADTIGER_ENV", "test")
os.environ.setdefault("ADTIGER_HOME", os.path.join(os.path.dirname(__file__), "..", ".adtiger", "test"))  # noqa: PTH118, PTH120  (before Django)

from adtiger.settings import *  # noqa: F403  (settings are names)
from adtiger.settings import CACHES, REDIS_URL

_NUMBER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
REDIS_URL = f"{REDIS_URL.rsplit('/', 1)[0]}/{_NUMBER}"
CELERY_BROKER_URL = REDIS_URL
CACHES["default"]["LOCATION"] = REDIS_URL
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick; nothing here is secret
CRON_SECRET = "cron-secret-for-tests"
