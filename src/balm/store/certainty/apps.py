"""Ratings of certainty."""

from django.apps import AppConfig


class CertaintyConfig(AppConfig):
    """The app ``certainty``."""

    name = "balm.store.certainty"
    label = "certainty"
    default_auto_field = "django.db.models.BigAutoField"
