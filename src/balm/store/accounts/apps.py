"""People who sign in."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The app ``accounts``."""

    name = "balm.store.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
