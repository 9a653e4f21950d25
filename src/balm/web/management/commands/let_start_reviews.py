"""``python -m balm.web let_start_reviews EMAIL``: another account than the first may start reviews, or no longer."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from balm.actions.team.accounts import let_start_reviews
from balm.vocabulary.problems import InputError


class Command(BaseCommand):
    """Allows or no longer allows an account to start reviews."""

    help = "Let an account start reviews on this server; --no takes it back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """``EMAIL`` and ``--no``."""
        parser.add_argument("email", help="the address of the account")
        parser.add_argument("--no", action="store_true", help="it may no longer start reviews")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it and say so."""
        try:
            user = let_start_reviews(options["email"], allowed=not options["no"])
        except InputError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{user} may {'no longer ' if options['no'] else ''}start reviews.")
