"""Tokens of programs."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The app ``api``."""

    name = "balm.store.api"
    label = "api"
    default_auto_field = "django.db.models.BigAutoField"
