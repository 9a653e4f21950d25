"""How the extraction of a review stands: who extracts which study, their sheets, and what has been settled."""

from __future__ import annotations

from collections.abc import Iterable

from balm.review.extraction.differences import Settlement
from balm.review.extraction.fields import REMOVED, RESULTS, ROW, STUDIES
from balm.review.extraction.sheets import Sheet, as_row, sheet
from balm.review.extraction.standing import Standing
from balm.store.extraction.models import Consensus, Entry, Finished, Taken, Written
from balm.store.reviews.models import Review, Row, StoredFile
from balm.store.screening.standing import plan_of
from balm.vocabulary.evidence import Result
from balm.vocabulary.table_text import ids_in

#: Scopes of studies that are extracted.
EXTRACTED_SCOPES = ("included", "sensitivity", "single-arm")


def studies_of(review: Review) -> dict[str, dict[str, str]]:
    """The studies that are extracted, by id, in the order of the package."""
    rows = Row.objects.filter(review=review, table=STUDIES).order_by("position").values_list("cells", flat=True)
    return {cells["study"]: cells for cells in rows if cells.get("scope") in EXTRACTED_SCOPES}


def standings(review: Review, studies: Iterable[str] | None = None) -> dict[str, Standing]:
    """How each study stands that somebody took; an extractor who left before finishing does not count."""
    needed = plan_of(review).extraction.extractors
    taken = Taken.objects.filter(review=review).select_related("member")
    finished = Finished.objects.filter(review=review).select_related("member")
    if studies is not None:
        taken, finished = taken.filter(study__in=list(studies)), finished.filter(study__in=list(studies))
    done: dict[tuple[str, str], bool] = {}
    for f in finished.order_by("pk"):
        done[f.study, f.member.code] = f.finished
    people: dict[str, list[str]] = {}
    for t in taken.order_by("pk"):
        if t.member.active or done.get((t.study, t.member.code)):
            people.setdefault(t.study, []).append(t.member.code)
    return {
        study: Standing(needed, tuple(codes), frozenset(c for c in codes if done.get((study, c))))
        for study, codes in people.items()
    }


def standing_of(review: Review, study: str) -> Standing:
    """How one study stands."""
    return standings(review, [study]).get(study) or Standing(plan_of(review).extraction.extractors)


def sheet_of(review: Review, study: str, member: str) -> Sheet:
    """What one member extracted from a study, as it stands."""
    return sheet(Entry.objects.filter(review=review, study=study, member__code=member).order_by("pk"))


def rows_taken_out(review: Review, study: str, member: str) -> list[tuple[str, str]]:
    """The rows that one member took out of their extraction: (table, key)."""
    rows = Entry.objects.filter(review=review, study=study, member__code=member, column=ROW).order_by("pk")
    last = {(e.table, e.key): e.value for e in rows}
    return [place for place, value in last.items() if value == REMOVED]


def settled_of(review: Review, study: str) -> dict[tuple[str, str, str], Settlement]:
    """The settled cells of a study; proposals are not among them."""
    rows = Consensus.objects.filter(review=review, study=study).exclude(method="proposal").select_related("member")
    return {
        (c.table, c.key, c.column): Settlement(c.value, c.member.code, c.reason, c.method) for c in rows.order_by("pk")
    }


def proposals_of(review: Review, study: str) -> dict[tuple[str, str, str], Consensus]:
    """The last proposal for each cell that was never settled."""
    rows = Consensus.objects.filter(review=review, study=study).select_related("member").order_by("pk")
    found: dict[tuple[str, str, str], Consensus] = {}
    for c in rows:
        place = (c.table, c.key, c.column)
        if c.method == "proposal":
            found[place] = c
        else:
            found.pop(place, None)
    return found


def last_written(review: Review, study: str) -> Written | None:
    """When the agreed values were last written to the package."""
    return Written.objects.filter(review=review, study=study).select_related("member").order_by("-pk").first()


def written_studies(review: Review) -> set[str]:
    """The studies whose agreed values stand in the package."""
    return set(Written.objects.filter(review=review).values_list("study", flat=True))


def arms_of(review: Review, study: str) -> dict[str, str]:
    """The arms that the package has for a study: id -> label."""
    rows = Row.objects.filter(review=review, table="arms.csv").order_by("position").values_list("cells", flat=True)
    return {cells["arm"]: cells.get("label", cells["arm"]) for cells in rows if cells["study"] == study}


def agreed_results(review: Review) -> list[Result]:
    """The results in the package, for plausibility: everybody may see them."""
    rows = Row.objects.filter(review=review, table=RESULTS).values_list("cells", flat=True)
    return [as_row(RESULTS, c["study"], c["result"], {k: v for k, v in c.items() if k != "result"}) for c in rows]


def full_texts_of(review: Review, study: str, report: str) -> list[str]:
    """Reports of a study whose PDF is stored, the study's own report first."""
    rows = Row.objects.filter(review=review, table="reports.csv").values_list("cells", flat=True)
    reports = [c["report"] for c in rows if study in ids_in(c.get("studies", ""))]
    wanted = list(dict.fromkeys([report, *reports])) if report else reports
    paths = {f"full-texts/{r}.pdf": r for r in wanted}
    there = set(StoredFile.objects.filter(review=review, path__in=paths).values_list("path", flat=True))
    return [r for path, r in paths.items() if path in there]
