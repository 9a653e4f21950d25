"""A review comes to the server, from the folder of a package."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from django.db import transaction
from django.utils.text import slugify

from balm.review.package import Package
from balm.review.reading import read_package
from balm.store.events.chain import Actor, append_event
from balm.store.events.models import SERVER
from balm.store.reviews.models import Member, Review
from balm.store.reviews.package_rows import store_files
from balm.vocabulary.problems import InputError, Problem


def slug_of(package: Package) -> str:
    """The word that stands in the address of a review: its id in ``review.toml``, in small letters."""
    return slugify(package.meta.id)[:80] or "review"


@transaction.atomic
def start_review(
    files: Mapping[str, bytes], *, user: object, code: str, name: str, demonstration: bool = False
) -> Review:
    """Bring in a package and make ``user`` its lead. A package with problems is refused whole, each problem named."""
    package, problems = read_package(files, Path("package"))
    if package is None:
        raise InputError(problems)
    slug = slug_of(package)
    if Review.objects.filter(slug=slug).exists():
        raise InputError(
            Problem(f"a review {slug!r} is on this server already; give review.toml another id", "review.toml")
        )
    review = Review.objects.create(slug=slug, title=package.meta.title, demonstration=demonstration)
    Member.objects.create(review=review, user=user, code=code, name=name, role="lead")
    store_files(review, files)
    actor = Actor(code, "lead")
    append_event(SERVER, actor, "start review", "review", review.key, after={"slug": slug, "title": review.title})
    append_event(
        review.key, actor, "start review", "review", review.key,
        after={path: hashlib.sha256(data).hexdigest() for path, data in sorted(files.items())},
    )  # fmt: skip
    return review
