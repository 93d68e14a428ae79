"""The product's settings, and one more module for its workers to import: the traps."""

from adtiger.settings import *  # noqa: F403  (settings are names)

CELERY_IMPORTS = ["tests.chaos.armed"]
