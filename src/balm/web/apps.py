"""The web application."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The app ``web``: pages, templates, static files."""

    name = "balm.web"
    label = "web"
