"""Reviews, their members, and what their package holds."""

from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    """The app ``reviews``."""

    name = "balm.store.reviews"
    label = "reviews"
    default_auto_field = "django.db.models.BigAutoField"
