"""``python -m balm.web bring_clinic FILE --lead EMAIL``: bring a clinic's registry to this server."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from balm.actions.clinic.archive import bring_clinic
from balm.actions.team.accounts import make_account
from balm.store.accounts.models import User
from balm.vocabulary.problems import InputError


class Command(BaseCommand):
    """Brings a clinic in, whole or not at all."""

    help = "Bring a clinic's registry to this server; the account with the given address takes the place of its lead."
    requires_system_checks = ()  # `check` looks at every page; this command opens none

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The files and who leads."""
        parser.add_argument("file", help="the registry that archive_clinic wrote")
        parser.add_argument("--vault", help="the vault that belongs to it")
        parser.add_argument("--keys", help="the keys of the vault")
        parser.add_argument(
            "--lead", required=True, metavar="EMAIL", help="account that leads; made when there is none"
        )
        parser.add_argument("--claim", default="", metavar="CODE", help="whose place it takes, where there are several")

    def handle(self, *args: Any, **options: Any) -> None:
        """Everything is checked before anything stays."""
        data, vault, keys = (_read(options[name]) for name in ("file", "vault", "keys"))
        password = ""
        try:
            with transaction.atomic():
                user = User.objects.filter(email=options["lead"].strip().lower()).first()
                if user is None:
                    password = secrets.token_urlsafe(12)
                    first = not User.objects.exists()  # whoever comes first manages the server
                    user = make_account(email=options["lead"].strip(), name="", password=password, is_staff=first)
                clinic = bring_clinic(data, user=user, claim=options["claim"], vault=vault, keys=keys)
        except InputError as error:
            raise CommandError("\n".join(str(problem) for problem in error.problems)) from None
        except ValueError as error:
            raise CommandError(f"nothing was brought in: {error}") from None
        self.stdout.write(f"{clinic.title}: /clinics/{clinic.slug}/")
        if not vault:
            self.stdout.write("Without its vault: nobody's name came along.")
        if password:
            self.stdout.write(f"An account was made for {user.email}; its first password is {password}")


def _read(name: str | None) -> bytes:
    if not name:
        return b""
    try:
        return Path(name).read_bytes()
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}") from None
