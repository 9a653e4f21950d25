"""``python -m balm.web archive SLUG -o FILE``: write the whole review as one zip."""

from __future__ import annotations

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from balm.actions.team.archive import archive_by_operator
from balm.store.reviews.models import Review


class Command(BaseCommand):
    """Writes an archive."""

    help = "Write a review as one zip: its package, its members, every judgement and the audit trail."
    requires_system_checks = ()  # `check` looks at every page; this command opens none

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The review and the file."""
        parser.add_argument("slug", help="the review, as in its address: /reviews/SLUG/")
        parser.add_argument("-o", "--output", required=True, help="file to write; - is the standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write beside the file and rename: an interrupted run leaves the last archive as it was."""
        slug, output = options["slug"], options["output"]
        review = Review.objects.filter(slug=slug).first()
        if review is None:
            known = ", ".join(Review.objects.order_by("slug").values_list("slug", flat=True)) or "none"
            raise CommandError(f"there is no review {slug!r} here; there is: {known}")
        data = archive_by_operator(review)
        if output == "-":
            sys.stdout.buffer.write(data)
            return
        path = Path(output)
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
        self.stdout.write(f"{path}: {review.title}, {len(data):,} bytes")
