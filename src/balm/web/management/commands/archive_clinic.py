"""``python -m balm.web archive_clinic SLUG -o FILE --vault FILE --keys FILE``: write a clinic for any server."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from balm.actions.clinic.archive import keys_by_operator, registry_by_operator, vault_by_operator
from balm.store.registry.models import Clinic


class Command(BaseCommand):
    """Writes the registry of a clinic, and apart from it its vault and the keys."""

    help = "Write a clinic's registry (pseudonyms only); its vault and the keys of the vault go to files of their own."
    requires_system_checks = ()  # `check` looks at every page; this command opens none

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The clinic and the files."""
        parser.add_argument("slug", help="the clinic, as in its address: /clinics/SLUG/")
        parser.add_argument("-o", "--output", required=True, help="file for the registry")
        parser.add_argument("--vault", help="file for who people are, sealed")
        parser.add_argument("--keys", help="file for the keys that open it; keep it apart from the vault")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write beside each file and rename: an interrupted run leaves the last archive as it was."""
        clinic = Clinic.objects.filter(slug=options["slug"]).first()
        if clinic is None:
            known = ", ".join(Clinic.objects.order_by("slug").values_list("slug", flat=True)) or "none"
            raise CommandError(f"there is no clinic {options['slug']!r} here; there is: {known}")
        asked: list[tuple[str, Callable[[Clinic], bytes]]] = [
            (options["output"], registry_by_operator),
            (options["vault"], vault_by_operator),
            (options["keys"], keys_by_operator),
        ]
        paths = [Path(name).resolve() for name, _ in asked if name]
        if len(set(paths)) < len(paths):
            raise CommandError("registry, vault and keys go to files of their own")
        for name, made in asked:
            if name:
                data = made(clinic)
                _write(Path(name), data)
                self.stdout.write(f"{name}: {len(data):,} bytes")


def _write(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise CommandError(f"{path} cannot be written: {error.strerror}") from None
