"""The guidance of a review on the server: from its rows and files as they stand."""

from __future__ import annotations

from balm.actions.guidance import Guidance, guidance_of
from balm.guidance.therapy import FILE
from balm.store.reviews.models import Review, StoredFile
from balm.store.synthesis.current import current_package, data_stamp, kept_for


def current_guidance(review: Review) -> Guidance | None:
    """The guidance, read once for each state of the data; ``None`` where the package names no therapy.

    :class:`balm.vocabulary.problems.InputError` with every problem where something of it cannot be read.
    """
    if not StoredFile.objects.filter(review=review, path=FILE).exists():
        return None
    found: Guidance = kept_for(("guidance", review.key), data_stamp(review), lambda: _read(review))
    return found


def _read(review: Review) -> Guidance:
    stored = StoredFile.objects.filter(review=review, path__startswith="guidance/").order_by("path")
    return guidance_of(current_package(review), {f.path: bytes(f.content) for f in stored})
