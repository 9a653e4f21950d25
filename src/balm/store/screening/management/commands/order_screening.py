"""``python -m balm.web order_screening SLUG STAGE``: learn the order of the records that no batch holds yet."""

from __future__ import annotations

import os
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from balm.review.screening.outcomes import STAGES
from balm.store.reviews.models import Review
from balm.store.screening.order import learn_order
from balm.store.screening.standing import opening_of


class Command(BaseCommand):
    """Run by the server when a batch is finished, apart from its pages; it can be run by hand at any time."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        """The review and the stage."""
        parser.add_argument("slug")
        parser.add_argument("stage", choices=STAGES)

    def handle(self, *args: Any, **options: Any) -> None:
        """Learn it, giving way to the pages."""
        review = Review.objects.filter(slug=options["slug"]).first()
        if review is None:
            raise CommandError(f"there is no review {options['slug']!r} on this server")
        opening = opening_of(review, options["stage"])
        if opening is None:
            raise CommandError(f"{options['stage']} is not open in {options['slug']!r}")
        os.nice(10)
        order = learn_order(review, options["stage"], reviewers=opening.reviewers)
        self.stdout.write(f"{len(order.records)} records by {order.basis}, learned from {order.learned}")
