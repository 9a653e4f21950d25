"""The audit trail."""

from django.apps import AppConfig


class EventsConfig(AppConfig):
    """The app ``events``."""

    name = "balm.store.events"
    label = "events"
    default_auto_field = "django.db.models.BigAutoField"
