"""``python -m balm.web first_account``: print the link that makes the first account of an empty server."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from balm.actions.team.accounts import SET_UP_HOURS, first_account_link
from balm.vocabulary.problems import InputError


class Command(BaseCommand):
    """Prints the set-up link."""

    help = "Print the link that makes the first account of an empty server; it works once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """``--address``."""
        parser.add_argument("--address", default="http://127.0.0.1:8000", help="where the server is reached")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the link and print it."""
        try:
            secret = first_account_link()
        except InputError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(options["address"].rstrip("/") + reverse("first_account", args=[secret]))
        self.stdout.write(f"The link makes the first account, once, within {SET_UP_HOURS} hours.")
