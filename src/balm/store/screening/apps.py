"""Votes, batches, conflicts."""

from django.apps import AppConfig


class ScreeningConfig(AppConfig):
    """The app ``screening``."""

    name = "balm.store.screening"
    label = "screening"
    default_auto_field = "django.db.models.BigAutoField"
