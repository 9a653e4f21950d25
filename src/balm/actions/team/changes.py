"""What changed in a review on the server since one of its versions, released or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from balm.actions.team.flow import state_of
from balm.actions.team.shown_package import shown_files
from balm.actions.team.synthesis import current_synthesis
from balm.actions.versions import changes_of
from balm.review.living.changed import Changes
from balm.review.living.history import last_before, version_called
from balm.review.living.release import FOLDER
from balm.review.package import Package
from balm.review.reading import read_package
from balm.store.reviews.models import Review, StoredFile
from balm.store.synthesis.current import current_package, kept_for, with_search
from balm.vocabulary.evidence import ReviewVersion
from balm.vocabulary.problems import InputError


def package_now(review: Review) -> Package:
    """The package with its records: versions date studies and records by the searches that found them."""
    return with_search(review, current_package(review))


def releases_of(review: Review, version: str | None = None) -> dict[str, dict[str, bytes]]:
    """Version -> path -> bytes of its release; of one version only where it is given."""
    start = f"{FOLDER}/" if version is None else f"{FOLDER}/{version}/"
    found: dict[str, dict[str, bytes]] = {}
    for file in StoredFile.objects.filter(review=review, path__startswith=start).iterator(16):
        _, name, path = file.path.split("/", 2)
        found.setdefault(name, {})[path] = bytes(file.content)
    return found


def changes_since(review: Review, version: str) -> Changes:
    """What changed since a version; the same value until the review changes."""
    package = package_now(review)
    at = version_called(package, version)
    return kept_for(  # type: ignore[no-any-return]
        ("changes", review.key, version), state_of(review), lambda: _changes(review, package, at)
    )


def _changes(review: Review, package: Package, at: ReviewVersion) -> Changes:
    """A release is compared cell by cell, with every row that may be seen; a version's studies need less."""
    released = releases_of(review, at.version).get(at.version)
    if released is not None:
        whole, problems = read_package(shown_files(review), Path(review.slug))
        if whole is None:
            raise InputError(problems)
        package = whole
    return changes_of(package, replace(current_synthesis(review), package=package), at, released)


def changes_since_last(review: Review) -> Changes | None:
    """What changed since the version before the latest; nothing to compare with in a review's first version."""
    before = last_before(current_package(review))
    return changes_since(review, before.version) if before else None
