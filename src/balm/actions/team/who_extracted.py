"""Who extracted each row of the tables on the server, and when it was agreed: what stands at the end of a walk back."""

from __future__ import annotations

from collections.abc import Mapping

from balm.store.extraction.current import standings
from balm.store.extraction.models import Written
from balm.store.reviews.models import Review


def extracted_in(review: Review) -> Mapping[str, str]:
    """Result or contrast -> who extracted it and when it was agreed; only of what was written to the tables."""
    if not Written.objects.filter(review=review).exists():
        return {}
    people = {study: " and ".join(standing.extractors) for study, standing in standings(review).items()}
    found: dict[str, str] = {}
    for written in Written.objects.filter(review=review).select_related("member").order_by("pk"):
        who = people.get(written.study) or "an extractor who left"
        said = f"{who}; agreed and written by {written.member.code}, {written.at:%Y-%m-%d}"
        for table in ("results.csv", "contrasts.csv"):
            found |= dict.fromkeys(written.rows.get(table, ()), said)
    return found
