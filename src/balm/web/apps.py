"""The web application."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The app ``web``: pages, templates, static files."""

    name = "balm.web"
    label = "web"

    def ready(self) -> None:
        """Listen for sign-ins."""
        from balm.web.accounts import trail  # noqa: F401
