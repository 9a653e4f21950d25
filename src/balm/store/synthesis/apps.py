"""Pinned analyses."""

from django.apps import AppConfig


class SynthesisConfig(AppConfig):
    """The app ``synthesis``."""

    name = "balm.store.synthesis"
    label = "synthesis"
    default_auto_field = "django.db.models.BigAutoField"
