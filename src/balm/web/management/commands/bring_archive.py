"""``python -m balm.web bring_archive FILE --lead EMAIL``: bring an archive, or the zip of a package, to this server."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from balm.actions.team.accounts import make_account
from balm.actions.team.starting import MAX_UPLOAD, start_from_file
from balm.store.accounts.models import User
from balm.vocabulary.problems import InputError


class Command(BaseCommand):
    """Brings an archive in."""

    help = "Bring an archive to this server; the account with the given address takes the place of its lead."
    requires_system_checks = ()  # `check` looks at every page; this command opens none

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file and who leads."""
        parser.add_argument("file", help="an archive, the zip of a review package, or a RevMan file")
        parser.add_argument(
            "--lead", required=True, metavar="EMAIL", help="account that leads; made when there is none"
        )
        parser.add_argument("--claim", default="", metavar="CODE", help="whose place it takes, where there are several")

    def handle(self, *args: Any, **options: Any) -> None:
        """Bring it in whole, or not at all."""
        path = Path(options["file"])
        try:
            if path.stat().st_size > MAX_UPLOAD:
                raise CommandError(f"{path} is larger than {MAX_UPLOAD // 1024**2} MB")
            data = path.read_bytes()
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}") from None
        password = ""
        try:
            with transaction.atomic():
                user = User.objects.filter(email=options["lead"].strip().lower()).first()
                if user is None:
                    password = secrets.token_urlsafe(12)
                    first = not User.objects.exists()  # whoever comes first manages the server
                    user = make_account(email=options["lead"].strip(), name="", password=password, is_staff=first)
                review = start_from_file(user, data, path.name, claim=options["claim"])
        except InputError as error:
            raise CommandError("\n".join(str(problem) for problem in error.problems)) from None
        self.stdout.write(f"{review.title}: /reviews/{review.slug}/")
        if password:
            self.stdout.write(f"An account was made for {user.email}; its first password is {password}")
