"""Full texts in a team: attempts at getting a report, and its PDF into the package."""

from __future__ import annotations

import hashlib

from django.db import transaction
from django.utils import timezone

from balm.actions.team.acting import Acting
from balm.actions.team.pdf_pages import clean, read_pdf
from balm.review.full_texts.retrieval import OBTAINED, check_attempt
from balm.store.events.chain import append_event, lock_chain
from balm.store.full_texts.models import Attempt, Paper
from balm.store.full_texts.standing import Report, ids_sought, path_of, reports_of
from balm.store.reviews.models import Review, StoredFile
from balm.vocabulary.problems import InputError, Problem


def report_sought(review: Review, report: str) -> Report | None:
    """A report to retrieve, by its id; ``None`` where it is not sought."""
    return reports_of(review, [report])[0] if report in ids_sought(review) else None


def check_submission(submission: str) -> str:
    """The id a page gave to an act, so that it counts once however often it is sent."""
    if not 8 <= len(submission) <= 64:
        raise InputError("the page sent no submission id of 8 to 64 characters; reload it and try again")
    return submission


def _sought(acting: Acting, report: str) -> None:
    if report_sought(acting.review, report) is None:
        raise InputError(f"the report {report!r} is not sought: no record of this id went forward")


@transaction.atomic
def note_attempt(acting: Acting, report: str, *, status: str, on: str, note: str = "", submission: str) -> Attempt:
    """Keep what came of looking for a report; the last attempt is its status."""
    acting.check("full texts")
    check_submission(submission)
    day = check_attempt(status, on, note, today=timezone.now().date())
    lock_chain(acting.review.key)
    if known := Attempt.objects.filter(member=acting.member, submission=submission).first():
        return known
    _sought(acting, report)
    return _attempt(acting, report, status, day.isoformat(), clean(note).strip(), submission)


def _attempt(acting: Acting, report: str, status: str, on: str, note: str, submission: str) -> Attempt:
    before = Attempt.objects.filter(review=acting.review, report=report).order_by("-pk").first()
    made = Attempt.objects.create(
        review=acting.review, member=acting.member, report=report, status=status, on=on, note=note,
        submission=submission,
    )  # fmt: skip
    append_event(
        acting.review.key, acting.actor, "retrieval", "report", report, before=_told(before), after=_told(made),
        reason=note,
    )  # fmt: skip
    return made


def _told(attempt: Attempt | None) -> dict[str, str] | None:
    return {"status": attempt.status, "on": attempt.on, "note": attempt.note} if attempt else None


def keep_paper(acting: Acting, report: str, name: str, data: bytes, *, reason: str = "", submission: str) -> Paper:
    """Keep the PDF of a report and read its pages; the report is obtained with it.

    Another file in place of one that is there needs a ``reason``. The file is read before anything is locked.
    """
    acting.check("full texts")
    check_submission(submission)
    known = Paper.objects.filter(member=acting.member, submission=submission).first()
    if known:
        return known
    _sought(acting, report)
    pages = read_pdf(data)
    sha256 = hashlib.sha256(data).hexdigest()
    with transaction.atomic():
        lock_chain(acting.review.key)
        if known := Paper.objects.filter(member=acting.member, submission=submission).first():
            return known
        _sought(acting, report)
        stored = StoredFile.objects.filter(review=acting.review, path=path_of(report)).first()
        before = {"sha256": stored.sha256, "bytes": len(bytes(stored.content))} if stored else None
        if stored and stored.sha256 != sha256 and not reason.strip():
            raise InputError(Problem("a PDF of this report is there; say why another takes its place", column="reason"))
        StoredFile.objects.update_or_create(
            review=acting.review, path=path_of(report),
            defaults={"sha256": sha256, "content": data, "media_type": "application/pdf"},
        )  # fmt: skip
        paper = Paper.objects.create(
            review=acting.review, member=acting.member, report=report, sha256=sha256, size=len(data),
            name=_file_name(name), pages=pages.count, texts=list(pages.texts), submission=submission,
        )  # fmt: skip
        append_event(
            acting.review.key, acting.actor, "replace full text" if stored else "keep full text", "report", report,
            before=before, after={"sha256": sha256, "bytes": len(data), "pages": pages.count, "name": paper.name},
            reason=clean(reason).strip(),
        )  # fmt: skip
        last = Attempt.objects.filter(review=acting.review, report=report).order_by("-pk").first()
        if last is None or last.status != OBTAINED:
            _attempt(acting, report, OBTAINED, timezone.now().date().isoformat(), "PDF uploaded", submission)
    return paper


def _file_name(name: str) -> str:
    """The last part of a file's name, for people to recognise; nothing is stored under it."""
    last = clean(name).replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if c.isprintable())[:200] or "paper.pdf"
