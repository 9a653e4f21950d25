"""Reports to studies: a report joins a study, begins one, or leaves one; every step can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from balm.actions.team.acting import Acting
from balm.actions.team.full_texts import check_submission
from balm.actions.team.named_in_versions import take_out_of_versions
from balm.actions.team.records import unique_in_full
from balm.actions.team.rows import put_row
from balm.report.vancouver import vancouver
from balm.review.full_texts.linking import study_id, study_label
from balm.review.schema import TABLE_BY_FILE
from balm.store.events.chain import append_event, lock_chain
from balm.store.extraction.models import Taken
from balm.store.full_texts.linking import REPORTS, STUDIES, included_ids, row_of, studies_in
from balm.store.full_texts.models import Linking
from balm.store.full_texts.standing import reports_of
from balm.store.records.details import full_records
from balm.store.records.unique import unique_records
from balm.store.reviews.models import Review, Row
from balm.vocabulary.problems import InputError, Problem, check_option

KINDS = next(c.allowed for c in TABLE_BY_FILE[REPORTS].columns if c.name == "kind")
GAPS = "gaps.csv"
Changes = list[dict[str, Any]]


@transaction.atomic
def link(
    acting: Acting, report: str, study: str = "", *, kind: str = "trial report", label: str = "", primary: bool = False,
    submission: str,
) -> Linking:  # fmt: skip
    """Make ``report`` one of ``study``; without a study, begin one with ``label`` or with surname and year.

    The first report of a study is its primary one, until another is linked with ``primary``.
    """
    check_option("kind", kind, KINDS)
    review = acting.review
    if known := _sent_before(acting, submission):
        return known
    if report not in included_ids(review):
        raise InputError(f"the report {report!r} is not included at full text")
    row, changes = row_of(review, REPORTS, report), []
    if study:
        if row_of(review, STUDIES, study) is None:
            raise InputError(f"there is no study {study!r} in this review")
        if row and study in studies_in(row):
            raise InputError(f"{report} is linked to {study} already")
    else:
        study = _begin(acting, report, label.strip(), changes)
    cells = dict(row) if row else _cells(review, report)
    cells["kind"] = cells.get("kind") or kind
    cells["studies"] = "; ".join([*studies_in(cells), study])
    _put(acting, REPORTS, cells, f"linked to {study}", changes)
    held = row_of(review, STUDIES, study) or {}
    if held.get("report", "") != report and (primary or not held.get("report")):
        _put(acting, STUDIES, held | {"report": report}, f"{report} is the primary report", changes)
    return _kept(acting, "link", report, study, changes, submission)


def _sent_before(acting: Acting, submission: str) -> Linking | None:
    """What every step begins with: may they, the chain locked, and the step itself where the page sent it before."""
    acting.check("full texts")
    check_submission(submission)
    lock_chain(acting.review.key)
    found: Linking | None = Linking.objects.filter(member=acting.member, submission=submission).first()
    return found


def _begin(acting: Acting, report: str, label: str, changes: Changes) -> str:
    review = acting.review
    rows = Row.objects.filter(review=review, table=STUDIES).values_list("key", "cells")
    labels = {cells.get("label", "").casefold() for _, cells in rows}
    values = unique_records(review).filter(record=report).values_list("values", flat=True).first() or {}
    if label and label.casefold() in labels:
        raise InputError(Problem(f"another study is called {label!r}; add a letter, or link to it", column="label"))
    label = label or study_label(values.get("authors") or [], values.get("year"), labels)
    study = study_id(label, {key for key, _ in rows})
    cells = {
        "study": study, "label": label, "year": str(values.get("year") or ""),
        "authors": "; ".join(values.get("authors") or []), "design": "not stated", "scope": "included",
        "report": "", "verified": "no",
    }  # fmt: skip
    _put(acting, STUDIES, cells, f"begun with {report}", changes)
    return study


def _cells(review: Review, report: str) -> dict[str, str]:
    known = reports_of(review, [report])[0]
    ids = unique_records(review).filter(record=report).values_list("ids", flat=True).first()
    citation = vancouver(unique_in_full(full_records(review, ids), ids)[0]) if ids else ""
    return {
        "report": report, "kind": "", "citation": citation or known.title, "doi": known.doi, "pmid": known.pmid,
        "verified": "no",
    }  # fmt: skip


@transaction.atomic
def unlink(acting: Acting, report: str, study: str, *, submission: str) -> Linking:
    """Take ``report`` out of ``study``. A study whose only report leaves goes with it, unless it holds data."""
    review = acting.review
    if known := _sent_before(acting, submission):
        return known
    row = row_of(review, REPORTS, report)
    if row is None or study not in studies_in(row):
        raise InputError(f"{report} is not linked to {study}")
    changes: Changes = []
    left = [one for one in studies_in(row) if one != study]
    _put(acting, REPORTS, {**row, "studies": "; ".join(left)}, f"taken out of {study}", changes)
    rows = Row.objects.filter(review=review, table=REPORTS).order_by("position").values_list("key", "cells")
    others = [key for key, cells in rows if study in studies_in(cells)]
    held = row_of(review, STUDIES, study) or {}
    if not others:
        _remove(acting, study, changes)
    elif held.get("report") == report:
        _put(acting, STUDIES, held | {"report": others[0]}, f"{report} was taken out", changes)
    return _kept(acting, "split", report, study, changes, submission)


@transaction.atomic
def undo(acting: Acting, number: int, *, submission: str) -> Linking:
    """Take step ``number`` back: every row it wrote stands as before, where nobody has changed it since."""
    review = acting.review
    if known := _sent_before(acting, submission):
        return known
    step = Linking.objects.filter(review=review, number=number).exclude(act="undo").first()
    if step is None or Linking.objects.filter(review=review, undoes=number).exists():
        raise InputError("that step is not there, or was taken back already")
    written = {(change["table"], change["key"]): change["after"] for change in step.changes}  # the last one of a row
    for (file, key), after in written.items():
        if row_of(review, file, key) != after:
            raise InputError(f"{key} was changed since; take the later step back first")
    changes: Changes = []
    for change in reversed(step.changes):
        if change["before"] is None:
            if change["table"] == STUDIES:
                _remove(acting, change["key"], changes)
            else:
                _delete(acting, change["table"], change["key"], changes)
        else:
            _put(acting, change["table"], change["before"], f"step {number} taken back", changes)
    return _kept(acting, "undo", step.report, step.study, changes, submission, undoes=number)


def _put(acting: Acting, file: str, cells: Mapping[str, str], reason: str, changes: Changes) -> None:
    key = cells["report" if file == REPORTS else "study"]
    before = row_of(acting.review, file, key)
    after = put_row(acting, file, cells, reason=reason).cells
    changes.append({"table": file, "key": key, "before": before, "after": dict(after)})


def _remove(acting: Acting, study: str, changes: Changes) -> None:
    """Take a study out of the package; one that holds anything is left alone with an error."""
    review = acting.review
    rows = Row.objects.filter(review=review, cells__study=study).exclude(table=STUDIES)
    held = set(rows.values_list("table", flat=True))
    if held or Taken.objects.filter(review=review, study=study).exists():
        where = ", ".join(sorted(held)) or "extraction"
        raise InputError(f"{study} holds data ({where}); link another report to it before its only one leaves")
    gaps = Row.objects.filter(review=review, table=GAPS).values_list("cells", flat=True)
    if any(study in studies_in(cells) for cells in gaps):
        raise InputError(f"{study} is named in {GAPS}; link another report to it before its only one leaves")
    _delete(acting, STUDIES, study, changes)
    take_out_of_versions(acting, "studies", study, reason=f"{study} is not in the review any more")


def _delete(acting: Acting, file: str, key: str, changes: Changes) -> None:
    before = row_of(acting.review, file, key)
    if file == REPORTS:
        held = Row.objects.filter(review=acting.review, cells__report=key).exclude(table=REPORTS)
        if tables := sorted(set(held.values_list("table", flat=True))):
            raise InputError(f"the report {key} is a source of data ({', '.join(tables)}); it stays linked")
    Row.objects.filter(review=acting.review, table=file, key=key).delete()
    append_event(
        acting.review.key, acting.actor, "remove row", file, key, before=before, reason="study linking taken back"
    )
    changes.append({"table": file, "key": key, "before": before, "after": None})


def _kept(
    acting: Acting, act: str, report: str, study: str, changes: Changes, submission: str, *, undoes: int | None = None
) -> Linking:
    last = Linking.objects.filter(review=acting.review).order_by("-number").values_list("number", flat=True).first()
    return Linking.objects.create(
        review=acting.review, member=acting.member, number=(last or 0) + 1, act=act, report=report, study=study,
        changes=changes, undoes=undoes, submission=submission,
    )  # fmt: skip
