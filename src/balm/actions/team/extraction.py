"""Extraction in a team: take a study, enter cell by cell, finish, settle what differs, write what is agreed.

Every act is one transaction that begins by locking the review's audit chain. Values that are hidden from the other
extractor stand in the audit trail as hashes only; what is settled and written stands there in full.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction

from balm.actions.team.acting import Acting
from balm.actions.team.rows import put_row
from balm.actions.team.taken_home import check_knows_nothing_of
from balm.review.extraction.agreed_rows import agreed_rows
from balm.review.extraction.checks import remarks, wrong_cell
from balm.review.extraction.differences import Cell, compare, same_value
from balm.review.extraction.fields import (
    ARMS,
    CONTRAST_FORMS,
    FORM,
    HOW_READ,
    IDENTITY,
    KEPT,
    REMOVED,
    RESULT_FORMS,
    RESULTS,
    ROW,
    SECTIONS,
    STUDIES,
    label,
)
from balm.review.extraction.keys import key_of
from balm.review.extraction.sheets import Given, Sheet, rows_of, texts
from balm.review.extraction.standing import (
    Standing,
    why_not_enter,
    why_not_reopen,
    why_not_settle,
    why_not_take,
)
from balm.review.package import Meta
from balm.store.events.chain import append_event, canonical, lock_chain
from balm.store.extraction.current import (
    agreed_results,
    arms_of,
    plan_of,
    proposals_of,
    settled_of,
    sheet_of,
    standing_of,
    studies_of,
)
from balm.store.extraction.models import Consensus, Entry, Finished, Taken, Written
from balm.store.reviews.models import Review, Row
from balm.store.reviews.package_rows import BETWEEN, package_of
from balm.vocabulary.problems import InputError, Problem, check_option

#: A submission id is made by the page; more than this is none.
MAX_SUBMISSION = 64
MAX_PAGE = 300


def check_study(review: Review, study: str) -> dict[str, str]:
    """The cells of a study that is extracted; an error names it where it is not."""
    found = studies_of(review).get(study)
    if found is None:
        raise InputError(f"study must be one of the included studies of this review; got {study[:80]!r}")
    return found


@transaction.atomic
def take(acting: Acting, study: str) -> Taken:
    """Begin to extract a study. Taking it twice is taking it once; a place that is filled is refused.

    So is a member who took the archive home when somebody else had entered values.
    """
    acting.check("extract")
    check_study(acting.review, study)
    lock_chain(acting.review.key)
    standing = standing_of(acting.review, study)
    _refuse(why_not_take(acting.member.code, standing))
    if acting.member.code not in standing.extractors:
        others = Entry.objects.filter(review=acting.review, study=study).exclude(member=acting.member)
        check_knows_nothing_of(acting, study, others.values_list("at", flat=True))
    taken, new = Taken.objects.get_or_create(review=acting.review, member=acting.member, study=study)
    if new:
        append_event(
            acting.review.key, acting.actor, "take study", "extraction taken", study,
            after={"extractor": acting.member.code},
        )  # fmt: skip
    return taken


@transaction.atomic
def enter(
    acting: Acting, study: str, table: str, key: str, values: Mapping[str, Given], *, submission: str
) -> list[Entry]:
    """Save values of one row, each as one entry; a value that is what stands already makes none.

    All or nothing: one cell that cannot be is named, and none is saved. The same submission counts once.
    """
    meta = _entering(acting, study, submission)
    sheet = sheet_of(acting.review, study, acting.member.code)
    _row_there(sheet, table, key)
    arms = known_arms(acting.review, study, sheet)
    problems = []
    for column, given in values.items():
        wrong = wrong_cell(table, column, given.value, meta, arms)
        if column in IDENTITY[table] and not wrong:
            wrong = "names the row and is not changed; take the row out and add another"
        if not wrong and given.how_read not in HOW_READ:
            wrong = f"how it was read must be one of {', '.join(HOW_READ)}"
        if not wrong and len(given.page) > MAX_PAGE:
            wrong = f"the page must not be longer than {MAX_PAGE} characters"
        if wrong:
            problems.append(Problem(wrong, column=column, value=given.value[:80]))
    if problems:
        raise InputError(problems)
    before = sheet.get((table, key), {})
    changed = {c: g for c, g in values.items() if before.get(c, Given("")) != g and (g.value or c in before)}
    return _append(acting, study, [(table, key, c, g) for c, g in changed.items()], submission)


@transaction.atomic
def add_row(
    acting: Acting, study: str, table: str, cells: Mapping[str, str], *, form: str = "", submission: str
) -> str:
    """Add an arm, a result or a contrast to one's own extraction; returns the key it got."""
    meta = _entering(acting, study, submission)
    check_option("table", table, [t for t in SECTIONS if t != STUDIES])
    sheet = sheet_of(acting.review, study, acting.member.code)
    arms = known_arms(acting.review, study, sheet)
    given = {name: value.strip() for name, value in cells.items() if value and value.strip()}
    wrong = {name: wrong_cell(table, name, value, meta, arms) for name, value in given.items()}
    problems = [Problem(reason, column=name, value=given[name][:80]) for name, reason in wrong.items() if reason]
    if form:
        check_option("form", form, [*(RESULT_FORMS if table == RESULTS else CONTRAST_FORMS)])
    if problems:
        raise InputError(problems)
    repeated = Entry.objects.filter(member=acting.member, submission=submission, column=ROW).first()
    if repeated is not None:
        return repeated.key
    taken = {*rows_of(sheet, table), *(arms_of(acting.review, study) if table == ARMS else ())}
    key = key_of(table, given, taken)
    if table != ARMS and key in taken:
        raise InputError(Problem("this outcome, arm and time stand in your extraction already", column="outcome"))
    outcome = next((o for o in meta.outcomes if o.id == given.get("outcome")), None)
    if table == RESULTS and outcome is not None and outcome.scale and "scale" not in given:
        given["scale"] = outcome.scale
    new = [(table, key, ROW, Given(KEPT))] + ([(table, key, FORM, Given(form))] if form else [])
    _append(acting, study, [*new, *((table, key, c, Given(v)) for c, v in given.items())], submission)
    return key


@transaction.atomic
def remove_row(acting: Acting, study: str, table: str, key: str, *, back: bool = False, submission: str) -> None:
    """Take a row out of one's own extraction, or put it ``back`` as it was: nothing entered is ever lost."""
    _entering(acting, study, submission)
    sheet = sheet_of(acting.review, study, acting.member.code)
    there = (table, key) in sheet
    known = Entry.objects.filter(review=acting.review, member=acting.member, study=study, table=table, key=key)
    if table == STUDIES or not known.exists():
        raise InputError(Problem(f"no row {key[:80]!r} in your extraction", column="key"))
    if there == back:
        return
    if table == ARMS and not back:
        used = [k for (t, k), cells in sheet.items() if t != ARMS and key in {g.value for g in cells.values()}]
        if used and key not in arms_of(acting.review, study):
            raise InputError(
                Problem(f"arm {key} has results ({', '.join(used[:3])}); take these out first", column="arm")
            )
    _append(acting, study, [(table, key, ROW, Given(KEPT if back else REMOVED))], submission)


@transaction.atomic
def finish(acting: Acting, study: str, *, submission: str) -> Standing:
    """Say that one's extraction of a study is complete; refused, each place named, while something in it cannot be.

    The last extractor to finish reveals the study: from then on both extractions are compared.
    """
    acting.check("extract")
    _check_submission(submission)
    check_study(acting.review, study)
    lock_chain(acting.review.key)
    if Finished.objects.filter(member=acting.member, submission=submission).exists():
        return standing_of(acting.review, study)
    _refuse(why_not_enter(acting.member.code, standing_of(acting.review, study)))
    sheet = sheet_of(acting.review, study, acting.member.code)
    problems = unfinished(acting.review, study, sheet)
    if problems:
        raise InputError(problems)
    _set_finished(acting, study, True, submission)
    return standing_of(acting.review, study)


@transaction.atomic
def reopen(acting: Acting, study: str, *, submission: str) -> None:
    """Open one's finished extraction again; not after the extractions were compared."""
    acting.check("extract")
    _check_submission(submission)
    lock_chain(acting.review.key)
    if Finished.objects.filter(member=acting.member, submission=submission).exists():
        return
    _refuse(why_not_reopen(acting.member.code, standing_of(acting.review, study)))
    _set_finished(acting, study, False, submission)


def unfinished(review: Review, study: str, sheet: Sheet) -> list[Problem]:
    """What has to be cleared before a study can be finished, row by row."""
    meta, others = plan_of(review), agreed_results(review)
    if not any(texts(cells) for cells in sheet.values()):
        return [Problem("nothing has been entered yet")]
    return [
        Problem(f"{label(r.column)}: {r.text}", file=table, column=key if table != STUDIES else r.column)
        for (table, key), cells in sheet.items()
        for r in remarks(table, study, key, texts(cells), meta, others)
        if r.problem and not (texts(cells).get("usable") == "no" and r.column not in ("page", "why_not"))
    ]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A study whose extractions are compared: the cells, who extracted, and what is proposed."""

    study: str
    standing: Standing
    sheets: Mapping[str, Sheet]
    cells: tuple[Cell, ...]

    @property
    def open(self) -> int:
        """How many cells still have to be settled."""
        return sum(c.open for c in self.cells)


def comparison(review: Review, study: str) -> Comparison:
    """Both extractions side by side; only once everybody who extracts the study has finished."""
    standing = standing_of(review, study)
    if not standing.revealed:
        raise InputError("the extractions are compared once everybody who extracts the study has finished")
    sheets = {who: sheet_of(review, study, who) for who in standing.extractors}
    return Comparison(study, standing, sheets, tuple(compare(sheets, settled_of(review, study))))


@transaction.atomic
def settle(
    acting: Acting, study: str, table: str, key: str, column: str, value: str, *, reason: str, submission: str
) -> Consensus:
    """Settle one differing cell: a decision by an arbiter or lead who did not extract; else a proposal.

    Where the other extractor proposes the same value, the cell is settled in discussion. A settled cell can be settled
    anew, with a new reason; the earlier decision stays on record.
    """
    if not acting.may("extract"):
        acting.check("agree")
    _check_submission(submission)
    check_study(acting.review, study)
    lock_chain(acting.review.key)
    repeated = Consensus.objects.filter(member=acting.member, submission=submission).first()
    if repeated is not None:
        return repeated
    standing = standing_of(acting.review, study)
    member = acting.member.code
    extracted = member in standing.extractors
    arbiter = acting.may("agree") and not extracted
    _refuse(why_not_settle(member, standing, arbiter=arbiter))
    cell = next(
        (c for c in comparison(acting.review, study).cells if (c.table, c.key, c.column) == (table, key, column)), None
    )
    if cell is None:
        raise InputError(Problem(f"no such cell: {table} {key[:80]} {column[:60]}", column=column[:60]))
    value = value.strip()
    wrong = _wrong_settlement(acting.review, study, cell, value)
    if not reason.strip():
        wrong = wrong or "a decision needs its reason"
    if wrong:
        raise InputError(Problem(wrong, column=column, value=value[:80]))
    method = "decision" if arbiter or len(standing.extractors) == 1 else "proposal"
    proposal = proposals_of(acting.review, study).get((table, key, column))
    if method == "proposal" and proposal is not None and proposal.member.code != member:
        same = proposal.value == value or (column != ROW and same_value(table, column, proposal.value, value))
        method = "discussion" if same else "proposal"
    settled = Consensus.objects.create(
        review=acting.review, member=acting.member, study=study, table=table, key=key, column=column, value=value,
        reason=reason.strip(), method=method, submission=submission,
    )  # fmt: skip
    before = {who: g.value if g else None for who, g in cell.given.items()}
    append_event(
        acting.review.key, acting.actor, f"{method} on differing cell", "extraction consensus",
        f"{study} {table} {key} {column}"[:400],
        before=before, after=value, reason=reason.strip(),
    )  # fmt: skip
    return settled


@transaction.atomic
def write_agreed(acting: Acting, study: str, *, reason: str = "") -> Written:
    """Put what was agreed into the package's tables, whole: a row the package refuses leaves all as it was."""
    if not acting.may("extract"):
        acting.check("agree")
    study_cells = check_study(acting.review, study)
    lock_chain(acting.review.key)
    compared = comparison(acting.review, study)
    arbiter = acting.may("agree")
    _refuse(why_not_settle(acting.member.code, compared.standing, arbiter=arbiter))
    standing_rows = {
        (r.table, r.key.split(BETWEEN)[-1]): r.cells
        for r in Row.objects.filter(review=acting.review, table__in=list(SECTIONS))
        if r.cells.get("study") == study
    }
    rows = agreed_rows(study, compared.cells, compared.sheets, standing_rows, report=study_cells.get("report", ""))
    people = " and ".join(compared.standing.extractors)
    said = reason.strip() or f"extracted by {people}" + (", agreed" if len(compared.sheets) > 1 else " alone")
    for table, cells in rows:
        put_row(acting, table, cells, reason=said)
    package_of(acting.review)
    written: dict[str, list[str]] = {}
    for table, cells in rows:
        own = cells.get("result") or cells.get("contrast") or cells.get("arm") or study
        written.setdefault(table, []).append(own)
    found = Written.objects.create(review=acting.review, member=acting.member, study=study, rows=written)
    append_event(
        acting.review.key, acting.actor, "write agreed extraction", "extraction written", study,
        after=written, reason=said,
    )  # fmt: skip
    return found


def known_arms(review: Review, study: str, sheet: Sheet) -> list[str]:
    """The arms that a result may name: those of the package, and those one has added."""
    return list(dict.fromkeys([*arms_of(review, study), *rows_of(sheet, ARMS)]))


def _entering(acting: Acting, study: str, submission: str) -> Meta:
    """What every entry begins with: may they, may they now, and the chain locked before anything is read."""
    acting.check("extract")
    _check_submission(submission)
    check_study(acting.review, study)
    lock_chain(acting.review.key)
    _refuse(why_not_enter(acting.member.code, standing_of(acting.review, study)))
    return plan_of(acting.review)


def _append(acting: Acting, study: str, new: list[tuple[str, str, str, Given]], submission: str) -> list[Entry]:
    repeated = {(e.table, e.key, e.column) for e in Entry.objects.filter(member=acting.member, submission=submission)}
    entries = [
        Entry(
            review=acting.review,
            member=acting.member,
            study=study,
            table=table,
            key=key,
            column=column,
            value=g.value,
            page=g.page,
            quote=g.quote,
            how_read=g.how_read,
            submission=submission,
        )
        for table, key, column, g in new
        if (table, key, column) not in repeated
    ]
    if not entries:
        return []
    Entry.objects.bulk_create(entries)
    said = [[e.table, e.key, e.column, e.value, e.page, e.quote, e.how_read] for e in entries]
    # The submission id, drawn at random by the page, keeps a short value from being guessed from its hash.
    digest = hashlib.sha256(canonical({"submission": submission, "entries": said})).hexdigest()
    append_event(
        acting.review.key, acting.actor, "enter values", "extraction", study,
        after={"entries": len(entries), "sha256": digest},
    )  # fmt: skip
    return entries


def _set_finished(acting: Acting, study: str, finished: bool, submission: str) -> None:
    Finished.objects.create(
        review=acting.review, member=acting.member, study=study, finished=finished, submission=submission
    )
    append_event(
        acting.review.key, acting.actor, "finish extraction" if finished else "open extraction again", "extraction",
        study, after={"finished": finished},
    )  # fmt: skip


def _row_there(sheet: Sheet, table: str, key: str) -> None:
    check_option("table", table, list(SECTIONS))
    if table == STUDIES:
        return
    if (table, key) not in sheet:
        raise InputError(Problem(f"no row {key[:80]!r} in your extraction; add it first", column="key"))


def _wrong_settlement(review: Review, study: str, cell: Cell, value: str) -> str:
    if cell.column == ROW:
        return "" if value in (KEPT, REMOVED) else f"must be {KEPT!r} or {REMOVED!r}; got {value[:40]!r}"
    sheets = [sheet_of(review, study, who) for who in standing_of(review, study).extractors]
    arms = list(dict.fromkeys(a for s in sheets for a in known_arms(review, study, s)))
    return wrong_cell(cell.table, cell.column, value, plan_of(review), arms)


def _check_submission(submission: str) -> None:
    if not submission or len(submission) > MAX_SUBMISSION or not submission.isascii():
        raise InputError(Problem("the page sent no submission id; reload it and try again", column="submission"))


def _refuse(reason: str) -> None:
    """What cannot be done now, or by this person on this study; a role that may not do it at all is ``Refused``."""
    if reason:
        raise InputError(reason)
