"""The project: wiring only. The application is `sync`, the platforms' clients are `providers`."""

from adtiger.celery import app as celery_app

__all__ = ["celery_app"]
