"""Imports and decisions on duplicates."""

from django.apps import AppConfig


class RecordsConfig(AppConfig):
    """The app ``records``."""

    name = "balm.store.records"
    label = "records"
    default_auto_field = "django.db.models.BigAutoField"
