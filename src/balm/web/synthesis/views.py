"""The analysis page: choose, see forest and funnel, pin, and take figures, tables and a script away."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from balm.actions.team.acting import Acting
from balm.actions.team.synthesis import (
    current_analysis,
    current_synthesis,
    pin_again,
    pin_analysis,
    pinned_analyses,
)
from balm.plots.figure import Figure
from balm.report.analysis_json import analysis_as_json
from balm.report.analysis_script import script
from balm.report.analysis_series import SeriesView, small_studies, study_by_study, without_each
from balm.report.analysis_table import as_csv, as_xlsx
from balm.report.html_report.analysis_view import AnalysisView, view
from balm.review.analysis_choices import Chosen, choose, spec_as_plain
from balm.review.analysis_data import canonical, data_hash
from balm.review.package import AnalysisSpec
from balm.review.synthesis import AnalysisResult, Synthesis
from balm.store.reviews.models import Review
from balm.store.screening.standing import plan_of
from balm.store.synthesis.current import current_package, data_stamp, kept_for
from balm.store.synthesis.models import PinnedAnalysis
from balm.vocabulary.problems import InputError
from balm.web.entry import in_review
from balm.web.synthesis.choices import address_of, extras, given, menus
from balm.web.synthesis.tables import places, shown

PICTURES: dict[str, Callable[[Figure], tuple[bytes, str]]] = {
    "svg": lambda figure: (figure.svg.encode(), "image/svg+xml"),
    "png": lambda figure: (figure.png(scale=3.125), "image/png"),
    "pdf": lambda figure: (figure.pdf(), "application/pdf"),
}
TABLES: dict[str, tuple[Callable[[AnalysisResult], bytes], str]] = {
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "xlsx": (as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "json": (lambda result: canonical(analysis_as_json(result)).encode(), "application/json"),
    "py": (lambda result: script(result).encode(), "text/x-python; charset=utf-8"),
}


CHANGED = {
    "outcome": "outcome", "windows": "time window", "comparison": "comparison", "measure": "effect measure",
    "method": "method", "model": "model", "tau2": "between-study variance", "inference": "interval",
    "by": "subgroups", "level": "level",
}  # fmt: skip


@require_GET
@in_review("view")
def page(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The page; for htmx the workbench alone. A choice that cannot be carried out says why, above the last form."""
    return _page(request, acting, given(request.GET))


def _page(
    request: HttpRequest, acting: Acting, now: dict[str, list[str]], problems: tuple[Any, ...] = ()
) -> HttpResponse:
    """The page of an analysis; after a refused pin with its ``problems`` and what was typed."""
    review = acting.review
    try:
        context = _workbench(review, now)
    except InputError as error:
        problems = error.problems
        now = {name: now[name] for name in ("analysis",) if name in now}
        try:
            context = _workbench(review, now)
        except InputError as nothing:
            plan = plan_of(review)
            context, problems = {"networks": plan.networks}, nothing.problems if plan.analyses else ()
    context |= {
        "acting": acting,
        "review": review,
        "problems": problems,
        "pinned": [_pinned(p) for p in pinned_analyses(review)] if "chosen" in context else [],
        "may_pin": acting.may("analyse"),
        "may_set_up": acting.may("set up"),
        "submission": secrets.token_hex(16),
        "typed": request.POST,
    }
    partly = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    response = render(request, "synthesis/page.html#workbench" if partly else "synthesis/page.html", context)
    if problems:
        response.status_code = 200 if partly else 422  # htmx swaps what is well; the message stands in the page
    response.headers["Vary"] = "HX-Request, Cookie"
    return response


def _workbench(review: Review, now: dict[str, list[str]]) -> dict[str, Any]:
    package, synthesis = current_package(review), current_synthesis(review)
    pooled = [result.id for result in synthesis.analyses if result.fit is not None]
    chosen = choose(package, now or {"analysis": pooled[:1]})
    result = current_analysis(review, chosen.spec)
    seen, one_out, grown = _views(review, chosen)
    report = reverse("report", kwargs={"slug": review.slug})
    parts = (seen.numbers, seen.absolute, seen.rows, seen.subgroups, seen.sensitivity)
    here = places(*parts)
    digest = data_hash(result)
    return {
        "chosen": chosen,
        "result": result,
        "view": seen,
        "plans": planned(synthesis),
        "networks": package.meta.networks,
        "menus": menus(package, chosen),
        "extras": extras(package, chosen, now, [(row.study, row.label, row.design) for row in result.rows]),
        "query": address_of(now | {"analysis": [chosen.plan.id]}),
        "data": digest[:16],
        "data_hash": digest,
        "numbers": shown(seen.numbers, here, report),
        "absolute": shown(seen.absolute, here, report),
        "rows": shown(seen.rows, here, report),
        "subgroups": shown(seen.subgroups, here, report),
        "sensitivity": shown(seen.sensitivity, here, report),
        "one_out": one_out,
        "one_out_table": shown(one_out and one_out.table, here, report),
        "grown": grown,
        "grown_table": shown(grown and grown.table, here, report),
        "small_studies": small_studies(result.fit),
        "changed_words": [CHANGED[name] for name in chosen.changed],
        "fields": [
            (name, value) for name, values in (now | {"analysis": [chosen.plan.id]}).items() for value in values
        ],
        "endings": [("svg", "SVG"), ("png", "PNG"), ("pdf", "PDF")],
        "tables": [("csv", "CSV"), ("xlsx", "XLSX"), ("json", "JSON"), ("py", "Python script")],
        "report": report,
    }


def planned(synthesis: Synthesis) -> list[tuple[AnalysisSpec, int]]:
    """Each planned analysis, and how many studies give it numbers."""
    studies = {result.id: len({row.study for row in result.rows}) for result in synthesis.analyses}
    return [(plan, studies.get(plan.id, 0)) for plan in synthesis.package.meta.analyses]


def _views(review: Review, chosen: Chosen) -> tuple[AnalysisView, SeriesView | None, SeriesView | None]:
    """What the page shows of an analysis, drawn once for each state of the data."""
    key = hashlib.sha256(canonical(spec_as_plain(chosen.spec)).encode()).hexdigest()

    def make() -> tuple[AnalysisView, SeriesView | None, SeriesView | None]:
        synthesis, result = current_synthesis(review), current_analysis(review, chosen.spec)
        return view(result, synthesis, _numbers(synthesis)), without_each(result), _grown(review, result)

    found: tuple[AnalysisView, SeriesView | None, SeriesView | None] = kept_for(
        ("analysis view", review.key, key), data_stamp(review), make
    )
    return found


def _numbers(synthesis: Any) -> dict[str, int]:
    return {report.report: i for i, report in enumerate(synthesis.package.reports, 1)}


def _grown(review: Review, result: AnalysisResult) -> SeriesView | None:
    return study_by_study(result, current_package(review))


@require_GET
@in_review("view")
def figure(request: HttpRequest, acting: Acting, kind: str, ending: str) -> HttpResponse:
    """A figure of the analysis in the address. With the hash of the data in it, the answer never changes."""
    now = given(request.GET)
    chosen = choose(current_package(acting.review), now)
    seen, one_out, grown = _views(acting.review, chosen)
    figures = {
        "forest": seen.figure,
        "funnel": seen.funnel,
        "leave-one-out": one_out and one_out.figure,
        "cumulative": grown and grown.figure,
    }
    picture = figures.get(kind)
    if picture is None or ending not in PICTURES:
        raise Http404
    body, media_type = PICTURES[ending](picture)
    response = HttpResponse(body, content_type=media_type)
    digest = data_hash(current_analysis(acting.review, chosen.spec))
    if request.GET.get("data") == digest[:16]:
        response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    # An SVG opened by itself is a document: it may bring its own styles, and do nothing.
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    if "download" in request.GET:
        acting.check("download")
        response.headers["Content-Disposition"] = _attachment(chosen, kind, ending)
    return response


@require_GET
@in_review("download")
def table(request: HttpRequest, acting: Acting, ending: str) -> HttpResponse:
    """The table of the analysis as CSV or XLSX, the whole result as JSON, or a script that computes it again."""
    if ending not in TABLES:
        raise Http404
    chosen = choose(current_package(acting.review), given(request.GET))
    write, media_type = TABLES[ending]
    body = write(current_analysis(acting.review, chosen.spec))
    response = HttpResponse(body, content_type=media_type)
    response.headers["Content-Disposition"] = _attachment(chosen, "analysis", ending)
    return response


def _attachment(chosen: Chosen, kind: str, ending: str) -> str:
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", chosen.plan.id if not chosen.changed else f"{chosen.plan.id}-changed")
    return f'attachment; filename="{name}-{kind}.{ending}"'


@require_POST
@in_review("analyse")
def pin(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Pin the analysis that the form holds."""
    now = given(request.POST)
    try:
        chosen = choose(current_package(acting.review), now)
        pinned = pin_analysis(
            acting,
            chosen.spec,
            request.POST.get("name", ""),
            submission=request.POST.get("submission", ""),
            note=request.POST.get("note", ""),
        )
    except InputError as error:
        return _page(request, acting, now, error.problems)
    messages.success(request, f"Pinned as {pinned.name}, number {pinned.turn}.")
    query = address_of(now)
    return redirect(reverse("synthesis", kwargs={"slug": acting.review.slug}) + (f"?{query}" if query else ""))


@require_POST
@in_review("analyse")
def again(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Pin an analysis again, on the rows as they stand."""
    pinned = pin_again(
        acting,
        request.POST.get("name", ""),
        submission=request.POST.get("submission", ""),
        note=request.POST.get("note", ""),
    )
    messages.success(request, f"Pinned again as {pinned.name}, number {pinned.turn}.")
    return redirect(reverse("synthesis", kwargs={"slug": acting.review.slug}) + "#pinned")


@require_GET
@in_review("download")
def pinned_result(request: HttpRequest, acting: Acting, number: int) -> HttpResponse:
    """A pinned analysis as it was written: its choices and its result, every digit."""
    found = PinnedAnalysis.objects.filter(review=acting.review, pk=number).select_related("member").first()
    if found is None:
        raise Http404
    whole = {
        "name": found.name, "turn": found.turn, "by": found.member.code, "at": found.at.isoformat(),
        "note": found.note, "data_hash": found.data_hash, "software_version": found.software_version,
        "spec": json.loads(found.spec), "result": json.loads(found.result),
    }  # fmt: skip
    response = HttpResponse(canonical(whole), content_type="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="pinned-analysis-{found.pk}.json"'
    return response


def _pinned(state: Any) -> dict[str, Any]:
    """A pinned analysis as the page prints it."""
    fit, one = state.result["fit"], state.result["single"]
    found = "not pooled"
    if fit is not None and fit["displayed"]["estimate"] is not None:
        d = fit["displayed"]
        ends = [d["ci_low"], d["ci_high"]]
        interval = "" if None in ends else f" ({ends[0]:.3g} to {ends[1]:.3g})"
        found = f"{fit['measure']} {d['estimate']:.3g}{interval}, {fit['k']} studies"
    elif one is not None:
        found = f"one study: {one['estimate']:.3g} ({one['ci_low']:.3g} to {one['ci_high']:.3g})"
    return {"state": state, "found": found, "submission": secrets.token_hex(16)}
