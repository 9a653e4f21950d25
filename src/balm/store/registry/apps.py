"""The registry of clinics."""

from django.apps import AppConfig


class RegistryConfig(AppConfig):
    """The app ``registry``."""

    name = "balm.store.registry"
    label = "registry"
    default_auto_field = "django.db.models.BigAutoField"
