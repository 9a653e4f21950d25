"""What two people extracted, and what was agreed."""

from django.apps import AppConfig


class ExtractionConfig(AppConfig):
    """The app ``extraction``."""

    name = "balm.store.extraction"
    label = "extraction"
    default_auto_field = "django.db.models.BigAutoField"
