"""The product's settings, and one more module for its workers to import: the traps."""

from adtiger.settings import *  # noqa: F403

CELERY_IMPORTS = ["tests.chaos.armed"]
