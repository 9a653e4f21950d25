"""The pages of extraction: the studies, the form of one, and two extractions side by side."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from balm.actions.team.acting import Acting
from balm.actions.team.extraction import (
    add_row,
    comparison,
    enter,
    finish,
    known_arms,
    remove_row,
    reopen,
    settle,
    take,
    write_agreed,
)
from balm.review.extraction.differences import counts
from balm.review.extraction.fields import (
    ARMS,
    CONTRAST_FORMS,
    CONTRASTS,
    HOW_READ,
    KEPT,
    POLICY,
    REMOVED,
    RESULT_FORMS,
    RESULTS,
    ROW,
    label,
)
from balm.review.extraction.sheets import Given, Sheet, texts
from balm.review.extraction.standing import why_not_settle, why_not_take
from balm.review.schema import PERIODS, ROLES, TIME_UNITS, VALUES_ARE
from balm.store.extraction.current import (
    agreed_results,
    arms_of,
    full_texts_of,
    last_written,
    plan_of,
    proposals_of,
    rows_taken_out,
    sheet_of,
    standing_of,
    studies_of,
)
from balm.vocabulary.problems import InputError
from balm.web.entry import in_review
from balm.web.extraction.shown import Form, cell_title, choices_of, form_of, row_shown, states

#: What a new row may be given; everything else is entered in its fields.
NEW_ROW = {
    ARMS: ("role", "label"),
    RESULTS: ("outcome", "time", "time_unit", "timepoint", "value_is", "period", "sequence"),
    CONTRASTS: ("outcome", "arm_1", "arm_2", "time", "time_unit", "timepoint", "value_is", "period"),
}
#: A PDF runs nothing and loads nothing; only our own pages may frame it.
PAPER_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"


def new_submission() -> str:
    """An id for one act, made with the form that sends it."""
    return secrets.token_hex(16)


@require_safe
@in_review("view")
def overview(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Every study with who extracts it, and one's own next step; nothing tells how far somebody else is."""
    needed = plan_of(acting.review).extraction.extractors
    rows = [
        {"study": study, "cells": cells, "extractors": extractors, "state": state}
        for study, cells, extractors, state in states(acting)
    ]
    mine = sum(r["state"] == "mine" for r in rows)
    page = {"rows": rows, "needed": needed, "mine": mine, "may_extract": acting.may("extract")}
    page["submission"] = new_submission()
    return render(request, "extraction/list.html", _base(acting) | page)


@require_safe
@in_review("extract")
def study(request: HttpRequest, acting: Acting, study: str) -> HttpResponse:
    """The form of a study: one's own extraction, beside the report's PDF where there is one."""
    return _form_page(request, acting, study)


def _form_page(
    request: HttpRequest,
    acting: Acting,
    study: str,
    *,
    status: int = 200,
    problems: Any = (),
    wrong: Mapping[tuple[str, str, str], tuple[str, str]] | None = None,
    typed: Mapping[str, str] | None = None,
    added: str = "",
    removed: tuple[str, str] | None = None,
) -> HttpResponse:
    cells = _study_or_404(acting, study)
    standing, me = standing_of(acting.review, study), acting.member.code
    page: dict[str, Any] = {
        "study": study, "cells": cells, "problems": problems, "policy": POLICY, "standing": standing,
        "mine": me in standing.extractors, "finished": me in standing.finished,
        "why_not_take": why_not_take(me, standing), "how_read": HOW_READ,
        "submission": new_submission,  # called where it stands: another for each form of the page
        "kept": f"{acting.review.key}:{study}:{me}", "papers": _papers(acting, study, cells), "typed": typed or {},
        "added": added, "removed": removed and {"table": removed[0], "key": removed[1]},
    }  # fmt: skip
    if page["mine"]:
        sheet = sheet_of(acting.review, study, me)
        page |= _choices_of_new_rows(acting, study, sheet)
        page["form"] = _form(acting, study, cells, sheet, wrong)
        page["taken_out"] = rows_taken_out(acting.review, study, me)
    return render(request, "extraction/study.html", _base(acting) | page, status=status)


def _form(acting: Acting, study: str, cells: Mapping[str, str], sheet: Sheet, wrong: Any = None) -> Form:
    arms = _arm_names(acting, study, sheet)
    return form_of(cells, sheet, plan_of(acting.review), arms, agreed_results(acting.review), wrong=wrong)


def _arm_names(acting: Acting, study: str, sheet: Sheet) -> dict[str, str]:
    kept = arms_of(acting.review, study)
    own = {key: cells["label"].value for (table, key), cells in sheet.items() if table == ARMS and "label" in cells}
    return {arm: own.get(arm) or kept.get(arm) or arm for arm in known_arms(acting.review, study, sheet)}


def _choices_of_new_rows(acting: Acting, study: str, sheet: Sheet) -> dict[str, Any]:
    return {
        "arms": _arm_names(acting, study, sheet), "outcomes": plan_of(acting.review).outcomes, "roles": ROLES,
        "time_units": TIME_UNITS, "values_are": VALUES_ARE, "periods": PERIODS,
        "result_forms": RESULT_FORMS.values(), "contrast_forms": CONTRAST_FORMS.values(),
    }  # fmt: skip


def _papers(acting: Acting, study: str, cells: Mapping[str, str]) -> list[tuple[str, str]]:
    """The stored PDFs of a study with the address that shows each."""
    return [
        (report, reverse("extraction-paper", kwargs={"slug": acting.review.slug, "study": study, "report": report}))
        for report in full_texts_of(acting.review, study, cells.get("report", ""))
    ]


@require_safe
@in_review("view")
def paper(request: HttpRequest, acting: Acting, study: str, report: str) -> HttpResponse:
    """A stored PDF of the study, for the frame beside the form: shown by the browser, allowed to do nothing else."""
    cells = _study_or_404(acting, study)
    if report not in full_texts_of(acting.review, study, cells.get("report", "")):
        raise Http404
    stored = acting.review.files.get(path=f"full-texts/{report}.pdf")
    response = HttpResponse(bytes(stored.content), content_type="application/pdf")
    response["Content-Disposition"] = f'inline; filename="{report}.pdf"'
    response["Content-Security-Policy"] = PAPER_POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_POST
@in_review("extract")
def take_study(request: HttpRequest, acting: Acting, study: str) -> HttpResponse:
    """Begin to extract a study."""
    _study_or_404(acting, study)
    if not request.POST.get("submission"):
        raise InputError("the page sent no submission id; reload it and try again")
    take(acting, study)
    return _to_study(acting, study)


@require_POST
@in_review("extract")
def enter_values(request: HttpRequest, acting: Acting, study: str) -> HttpResponse:
    """Save fields of one row: a script sends one as it changes, a plain form sends the row."""
    cells = _study_or_404(acting, study)
    table, key = request.POST.get("table", ""), request.POST.get("key", "")
    me = acting.member.code
    before = sheet_of(acting.review, study, me).get((table, key), {})
    values = {
        name[2:]: Given(
            value.strip(),
            request.POST.get(f"p.{name[2:]}", "").strip(),
            request.POST.get(f"q.{name[2:]}", "").strip(),
            request.POST.get(f"h.{name[2:]}", "") or before.get(name[2:], Given("")).how_read or "reported",
        )
        for name, value in request.POST.items()
        if name.startswith("v.")
    }
    by_script = request.headers.get("X-Requested-With") == "balm"
    try:
        enter(acting, study, table, key, values, submission=request.POST.get("submission", ""))
    except InputError as error:
        if by_script:
            said = [{"column": p.column, "text": p.reason} for p in error.problems]
            return JsonResponse({"problems": said}, status=422)
        named = [p for p in error.problems if p.column in values]
        wrong = {(table, key, p.column): (values[p.column].value, p.reason) for p in named}
        return _form_page(request, acting, study, status=422, problems=error.problems, wrong=wrong)
    if not by_script:
        return _to_study(acting, study, f"{table.removesuffix('.csv')}-{key}")
    sheet = sheet_of(acting.review, study, me)
    row = row_shown(
        (table, key), sheet.get((table, key), {}), cells, sheet, plan_of(acting.review),
        _arm_names(acting, study, sheet), agreed_results(acting.review), {},
    )  # fmt: skip
    return render(request, "extraction/study.html#said", _base(acting) | {"row": row, "study": study})


@require_POST
@in_review("extract")
def add(request: HttpRequest, acting: Acting, study: str) -> HttpResponse:
    """Add an arm, a contrast, or a result for each arm that was ticked."""
    _study_or_404(acting, study)
    table, submission = request.POST.get("table", ""), request.POST.get("submission", "")
    cells = {name: request.POST.get(name, "") for name in NEW_ROW.get(table, ())}
    form = request.POST.get("form", "")
    try:
        if table == RESULTS:
            arms = request.POST.getlist("arm")
            if not arms:
                raise InputError("tick at least one arm; add the arms of the study first")
            with transaction.atomic():
                keys = [
                    add_row(
                        acting,
                        study,
                        table,
                        cells | {"arm": arm},
                        form=form,
                        submission=submission and f"{submission[:60]}.{i}",
                    )
                    for i, arm in enumerate(arms)
                ]
        else:
            keys = [add_row(acting, study, table, cells, form=form, submission=submission)]
    except InputError as error:
        return _form_page(request, acting, study, status=422, problems=error.problems, typed=request.POST.dict())
    row = f"{table.removesuffix('.csv')}-{keys[0]}"
    return _form_page(request, acting, study, added=row) if _in_place(request) else _to_study(acting, study, row)


@require_POST
@in_review("extract")
def remove(request: HttpRequest, acting: Acting, study: str) -> HttpResponse:
    """Take a row out, or put it back."""
    _study_or_404(acting, study)
    table, key, back = (request.POST.get(name, "") for name in ("table", "key", "back"))
    try:
        remove_row(acting, study, table, key, back=bool(back), submission=request.POST.get("submission", ""))
    except InputError as error:
        return _form_page(request, acting, study, status=422, problems=error.problems)
    row = f"{table.removesuffix('.csv')}-{key}"
    if _in_place(request):
        return _form_page(request, acting, study, added=row, removed=None if back else (table, key))
    if not back:
        messages.info(request, f"{key} was taken out; it can be put back at the end of the form.")
    return _to_study(acting, study, row if back else "")


@require_POST
@in_review("extract")
def finish_study(request: HttpRequest, acting: Acting, study: str) -> HttpResponse:
    """Say that the extraction is complete."""
    _study_or_404(acting, study)
    try:
        standing = finish(acting, study, submission=request.POST.get("submission", ""))
    except InputError as error:
        return _form_page(request, acting, study, status=422, problems=error.problems)
    if standing.revealed:
        return redirect("extraction-compare", slug=acting.review.slug, study=study)
    return _to_study(acting, study)


@require_POST
@in_review("extract")
def reopen_study(request: HttpRequest, acting: Acting, study: str) -> HttpResponse:
    """Open one's finished extraction again."""
    _study_or_404(acting, study)
    reopen(acting, study, submission=request.POST.get("submission", ""))
    return _to_study(acting, study)


@require_safe
@in_review("view")
def compare_study(request: HttpRequest, acting: Acting, study: str) -> HttpResponse:
    """Both extractions side by side, differences first."""
    return _compare_page(request, acting, study)


def _compare_page(
    request: HttpRequest, acting: Acting, study: str, *, status: int = 200, problems: Any = (), part: str = ""
) -> HttpResponse:
    cells = _study_or_404(acting, study)
    if not standing_of(acting.review, study).revealed:
        return render(request, "extraction/not_yet.html", _base(acting) | {"cells": cells}, status=409)
    compared = comparison(acting.review, study)
    meta, review, me = plan_of(acting.review), acting.review, acting.member.code
    arms: dict[str, str] = {}
    for sheet in compared.sheets.values():
        arms = _arm_names(acting, study, sheet) | arms
    proposals = proposals_of(review, study)
    titles: dict[tuple[str, str], str] = {}
    for sheet in compared.sheets.values():
        for (table, key), given in sheet.items():
            titles.setdefault((table, key), cell_title(table, key, texts(given), meta, arms))
    sent_for = tuple(request.POST.get(name, "") for name in ("table", "key", "column"))
    shown = [
        {
            "cell": c,
            "label": "Is this row there?" if c.column == ROW else label(c.column),
            "title": titles[c.table, c.key],
            "given": [(who, g) for who, g in c.given.items()],
            "choices": [(KEPT, "keep the row"), (REMOVED, "leave it out")]
            if c.column == ROW
            else choices_of(c.table, c.column, meta, arms),
            "proposal": proposals.get((c.table, c.key, c.column)),
            "id": f"cell-{i}",
            "sent": request.POST if problems and (c.table, c.key, c.column) == sent_for else {},
        }
        for i, c in enumerate(compared.cells)
    ]
    extracted = me in compared.standing.extractors
    arbiter = acting.may("agree") and not extracted
    allowed = (acting.may("agree") or acting.may("extract")) and not why_not_settle(
        me, compared.standing, arbiter=arbiter
    )
    state = counts(compared.cells)
    total = len(compared.cells)
    page = {
        "study": study, "cells": cells, "shown": shown, "open": [s for s in shown if s["cell"].open], "total": total,
        "settled": [s for s in shown if s["cell"].settlement], "state": state,
        "same": [s for s in shown if not s["cell"].open and not s["cell"].settlement],
        "share": round(100 * state["agreed"] / total) if total else 0, "problems": problems, "allowed": allowed,
        "arbiter": arbiter, "extracted": extracted, "alone": len(compared.sheets) == 1,
        "people": compared.standing.extractors, "written": last_written(review, study),
        "submission": new_submission(), "papers": _papers(acting, study, cells),
        "typed": request.POST.get("reason", "") if problems else "",
    }  # fmt: skip
    return render(request, f"extraction/compare.html{part}", _base(acting) | page, status=status)


@require_POST
@in_review("view")
def settle_cell(request: HttpRequest, acting: Acting, study: str) -> HttpResponse:
    """Settle one differing cell."""
    _study_or_404(acting, study)
    part = "#differences" if request.headers.get("HX-Request") else ""
    given = {name: request.POST.get(name, "") for name in ("table", "key", "column", "reason", "submission")}
    chosen = request.POST.get("value", "")  # "=" and one of the values, or "other:" and the field beside it
    value = request.POST.get("other", "") if chosen == "other:" else chosen.removeprefix("=")
    try:
        settle(
            acting, study, given["table"], given["key"], given["column"], value,
            reason=given["reason"], submission=given["submission"],
        )  # fmt: skip
    except InputError as error:
        return _compare_page(request, acting, study, status=422, problems=error.problems, part=part)
    if part:
        return _compare_page(request, acting, study, part=part)
    return redirect("extraction-compare", slug=acting.review.slug, study=study)


@require_POST
@in_review("view")
def write(request: HttpRequest, acting: Acting, study: str) -> HttpResponse:
    """Write what is agreed to the package's tables."""
    _study_or_404(acting, study)
    try:
        written = write_agreed(acting, study, reason=request.POST.get("reason", ""))
    except InputError as error:
        return _compare_page(request, acting, study, status=422, problems=error.problems)
    said = ", ".join(f"{len(ids)} in {table}" for table, ids in written.rows.items())
    messages.success(request, f"Written to the review: {said}.")
    return redirect("extraction-compare", slug=acting.review.slug, study=study)


def _in_place(request: HttpRequest) -> bool:
    return bool(request.headers.get("HX-Request"))


def _study_or_404(acting: Acting, study: str) -> dict[str, str]:
    cells = studies_of(acting.review).get(study)
    if cells is None:
        raise Http404
    return cells


def _to_study(acting: Acting, study: str, fragment: str = "") -> HttpResponse:
    address = reverse("extraction-study", kwargs={"slug": acting.review.slug, "study": study})
    return redirect(f"{address}#{fragment}" if fragment else address)


def _base(acting: Acting) -> dict[str, Any]:
    return {"acting": acting, "review": acting.review}
