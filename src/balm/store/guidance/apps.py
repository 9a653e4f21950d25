"""What guidance computed for somebody."""

from django.apps import AppConfig


class GuidanceConfig(AppConfig):
    """The app ``guidance``."""

    name = "balm.store.guidance"
    label = "guidance"
    default_auto_field = "django.db.models.BigAutoField"
