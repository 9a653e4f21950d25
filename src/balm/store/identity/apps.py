"""The identity vault."""

from django.apps import AppConfig


class IdentityConfig(AppConfig):
    """The app ``identity``."""

    name = "balm.store.identity"
    label = "identity"
    default_auto_field = "django.db.models.BigAutoField"
