"""What the screening pages show of records, criteria and keys: values for templates and for the page's script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse

from balm.actions.team.screening import Sitting
from balm.review.package import Meta
from balm.review.screening.highlights import marked
from balm.review.screening.outcomes import STAGES
from balm.store.full_texts.standing import path_of
from balm.store.records.models import UniqueRecord
from balm.store.reviews.models import Review, StoredFile
from balm.store.screening.models import Vote

TITLES = {"title-abstract": "Titles and abstracts", "full-text": "Full texts"}
assert tuple(TITLES) == STAGES

#: Key presets: act -> key. Digits choose a reason at full text in both.
KEYS = {
    "Rayyan": {"include": "i", "exclude": "e", "maybe": "u", "note": "n"},
    "ASReview": {"include": "r", "exclude": "i", "maybe": "u", "note": "n"},
}


def word_lists(plan: Meta) -> dict[str, list[str]]:
    """Words to mark, by the class that marks them: ``include``, ``exclude`` and the colours of the named lists."""
    given = plan.screening.highlights
    lists: dict[str, list[str]] = {"include": list(given.include), "exclude": list(given.exclude)}
    for one in given.lists:
        lists.setdefault(one.colour, []).extend(one.words)
    return {name: words for name, words in lists.items() if words}


def legend(plan: Meta) -> list[tuple[str, str]]:
    """``(class, name)`` of each list of words."""
    given = plan.screening.highlights
    named = [("include", "for including")] * bool(given.include) + [("exclude", "for excluding")] * bool(given.exclude)
    return named + [(one.colour, one.name) for one in given.lists if one.words]


def shown_records(review: Review, ids: Iterable[str], plan: Meta, votes: Mapping[str, Vote]) -> list[dict[str, Any]]:
    """The records in the order of ``ids``, with their texts as marked pieces and the reader's own vote."""
    ids = list(ids)
    rows = UniqueRecord.objects.filter(review=review, record__in=ids)  # current: who asks has looked them up before
    found = dict(rows.values_list("record", "values"))
    lists = word_lists(plan)
    return [_shown(i, found.get(i, {}), lists, votes.get(i)) for i in ids]


def shown_sitting(review: Review, stage: str, sat: Sitting | None, plan: Meta) -> dict[str, Any]:
    """A sitting for the page's script; without records where there is nothing to read."""
    if sat is None:
        return {"batch": 0, "own": 0, "records": []}
    records = shown_records(review, sat.records, plan, sat.votes)
    if stage == "full-text":
        with_papers(review, records)
    return {"batch": sat.batch, "own": sat.own, "records": records}


def with_papers(review: Review, records: list[dict[str, Any]]) -> None:
    """To each record the page of its report, and the address of its PDF; empty where none is here."""
    paths = {path_of(r["id"]): r for r in records}
    held = set(StoredFile.objects.filter(review=review, path__in=paths).values_list("path", flat=True))
    for path, r in paths.items():
        place = {"slug": review.slug, "report": r["id"]}
        r["report"] = reverse("full_text", kwargs=place)
        r["paper"] = reverse("full_text_paper", kwargs=place) if path in held else ""


def _shown(record: str, values: Mapping[str, Any], lists: Mapping[str, list[str]], vote: Vote | None) -> dict[str, Any]:
    authors = values.get("authors") or []
    who = "; ".join(authors[:6]) + (f" and {len(authors) - 6} more" if len(authors) > 6 else "")
    return {
        "id": record,
        "title": marked(values.get("title") or "(no title)", lists),
        "abstract": marked(values.get("abstract") or "", lists),
        "source": " · ".join(str(part) for part in (who, values.get("journal"), values.get("year")) if part),
        "doi": values.get("doi") or "",
        "pmid": values.get("pmid") or "",
        "vote": {"decision": vote.decision, "reason": vote.reason, "note": vote.note} if vote else None,
    }
