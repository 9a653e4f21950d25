"""Retrieval and full texts of reports."""

from django.apps import AppConfig


class FullTextsConfig(AppConfig):
    """The app ``full_texts``."""

    name = "balm.store.full_texts"
    label = "full_texts"
    default_auto_field = "django.db.models.BigAutoField"
