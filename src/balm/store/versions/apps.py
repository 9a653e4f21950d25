"""Releases of reviews."""

from django.apps import AppConfig


class VersionsConfig(AppConfig):
    """The app ``versions``."""

    name = "balm.store.versions"
    label = "versions"
    default_auto_field = "django.db.models.BigAutoField"
