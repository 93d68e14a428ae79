"""The application's configuration."""

from django.apps import AppConfig


class SyncConfig(AppConfig):
    """`sync`: loaded once by Django."""

    name = "sync"
    verbose_name = "Sync"
