"""Pages of certainty: what there is to rate, the form of a rating, consensus, and the summary of findings."""

from __future__ import annotations

import secrets
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from balm.actions.certainty import WRITERS
from balm.actions.team import certainty as actions
from balm.actions.team.acting import Acting, Refused
from balm.actions.team.certainty import current_to_rate, may_be_rated, one_to_rate, raters_asked
from balm.actions.team.synthesis import current_synthesis
from balm.review.certainty.planned_network import NetworkCertainty, not_compared
from balm.review.certainty.raters import Raters, why_not_agree, why_not_propose, why_not_rate, why_not_settle
from balm.review.certainty.to_rate import ToRate
from balm.store.certainty.standing import (
    agreed_bases,
    agreed_on,
    decision_of,
    raters_of,
    raters_of_all,
    rating_of,
    suggestions_for,
)
from balm.store.synthesis.current import current_package
from balm.vocabulary.problems import InputError, Problem
from balm.web.certainty.about import shown_of
from balm.web.certainty.forms import RatingForm, filled, rating_form, sent
from balm.web.certainty.summary import baselines_in, rows_shown
from balm.web.entry import in_review


@in_review("view")
@require_GET
def index(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Every analysis and comparison: its certainty as decided and as proposed, how it stands for this member."""
    review = acting.review
    try:
        package = current_package(review)
        found = current_to_rate(review)
    except InputError as error:
        return render(request, "certainty/index.html", _about(acting) | {"problems": error.problems}, status=422)
    asked = package.meta.certainty.raters
    rated, agreed = raters_of_all(review, asked), agreed_bases(review)
    lines: dict[str, list[dict[str, Any]]] = {"": []} | {n.id: [] for n in package.meta.networks}
    for key, it in found.items():
        network = it.certainty.network if isinstance(it.certainty, NetworkCertainty) else ""
        standing = rated.get((key, it.certainty.basis), Raters(asked))
        settled = (key, it.certainty.basis) in agreed
        compare = asked > 1 and standing.revealed
        state, tone = "", ""
        if it.certainty.stale:
            state, tone = "stale: its data have changed", "warn"
        elif settled:
            state, tone = "decided", "good"
        if compare and not settled:
            state, tone = "to agree", "warn"
        elif asked > 1 and not settled and acting.member.code in standing.rated:
            state, tone = "rated by you; shown to nobody until a second person has rated", "good"
        lines[network].append({"it": it, "state": state, "tone": tone, "compare": compare})
    tables = [{"lines": lines[""], "what": "Analysis", "label": "Analyses and their certainty"}] if lines[""] else []
    tables += [
        {"lines": lines[n.id], "what": "Comparison", "label": f"Comparisons of {n.title} and their certainty",
         "network": n, "gone": not_compared(package, n.id, found)}
        for n in package.meta.networks
    ]  # fmt: skip
    return render(request, "certainty/index.html", _about(acting) | {"tables": tables, "asked": asked})


@in_review("view")
@require_GET
def analysis(request: HttpRequest, acting: Acting, analysis: str) -> HttpResponse:
    """What was decided on one analysis or comparison beside what the rules propose, and how often before."""
    it = _found(acting, analysis)
    asked = raters_asked(acting.review)
    standing = raters_of(acting.review, analysis, it.certainty.basis, asked)
    context = _about_it(acting, it) | {
        "asked": asked, "compare": asked > 1 and standing.revealed, "why_not": why_not_rate(standing),
    }  # fmt: skip
    return render(request, "certainty/analysis.html", context)


@in_review("rate certainty")
@require_http_methods(["GET", "POST"])
def rate(request: HttpRequest, acting: Acting, analysis: str) -> HttpResponse:
    """One's own rating: shown, or saved."""
    it = _found(acting, analysis)
    asked = raters_asked(acting.review)
    problems: tuple[Problem, ...] = ()
    values: dict[str, Any]
    if request.method == "POST":
        values = sent(request.POST)
        try:
            actions.rate(acting, analysis, submission=request.POST.get("submission", ""),
                         basis=request.POST.get("basis", ""), **values)  # fmt: skip
            return redirect(reverse("certainty", kwargs={"slug": acting.review.slug}))
        except InputError as error:
            problems = error.problems
    else:
        row = rating_of(acting.review, analysis, it.certainty.basis, acting.member.code)
        values = filled(decision_of(row) if row else None, it.on_record)
    context = _about_it(acting, it) | {
        "asked": asked, "form": _form(it, values, problems), "submission": secrets.token_hex(16),
        "refused": why_not_rate(raters_of(acting.review, analysis, it.certainty.basis, asked)),
        "proposal_address": reverse("certainty_proposal", kwargs={"slug": acting.review.slug, "analysis": analysis}),
    }  # fmt: skip
    return render(request, "certainty/rate.html", context, status=422 if problems else 200)


@in_review("discuss")
@require_POST
def proposal(request: HttpRequest, acting: Acting, analysis: str) -> HttpResponse:
    """What the rules propose at another target or baseline risk, and what follows so far; nothing is saved."""
    it = _found(acting, analysis)
    context = {"it": it, "form": _form(it, sent(request.POST)), "proposal_address": request.path}
    return render(request, "certainty/domains.html", context)


@in_review("discuss")
@require_http_methods(["GET", "POST"])
def consensus(request: HttpRequest, acting: Acting, analysis: str) -> HttpResponse:
    """Both ratings side by side once both are in, and the form that settles or proposes."""
    it = _found(acting, analysis)
    code, basis = acting.member.code, it.certainty.basis
    standing = raters_of(acting.review, analysis, basis, raters_asked(acting.review))
    about = _about_it(acting, it)
    if refused := why_not_agree(standing):
        return render(request, "certainty/consensus.html", about | {"refused": refused})
    agreed = agreed_on(acting.review, analysis, basis)
    turn = agreed.turn if agreed else 0
    how = "propose" if not why_not_propose(code, standing) else "settle" if acting.may("agree") else ""
    problems: tuple[Problem, ...] = ()
    values: dict[str, Any]
    if request.method == "POST":
        values = sent(request.POST)
        seen = request.POST.get("seen", "")
        try:
            if how == "":
                raise Refused(why_not_settle(code, standing) or why_not_propose(code, standing))
            actions.settle(
                acting, analysis, submission=request.POST.get("submission", ""), basis=request.POST.get("basis", ""),
                why=request.POST.get("why", ""), seen=int(seen) if seen.isdecimal() and len(seen) < 6 else -1, **values,
            )  # fmt: skip
            return redirect(request.path)
        except InputError as error:
            problems = error.problems
    rows = [row for who in standing.rated if (row := rating_of(acting.review, analysis, basis, who))]
    sides = [(row.member, decision_of(row)) for row in rows]
    said = suggestions_for(acting.review, analysis, basis, turn + 1)
    if request.method == "GET":
        begin = next((row for who, row in said.items() if who != code), None) or agreed or rows[0]
        values = filled(decision_of(begin))
        if begin is rows[0] and sides[0][1].said != sides[1][1].said:  # what is open is left to whoever decides
            other = {d.domain: d.rating for d in sides[1][1].domains}
            values["ratings"] = {d: r for d, r in values["ratings"].items() if other.get(d) == r}
            values["reasons"], values["certainty"], values["reason"] = {}, "", ""
    context = about | {
        "sides": sides, "agreed": agreed, "how": how, "seen": turn,
        "said": [(r.member, r.reason) for r in said.values()],
        "compared": _compared(sides, it.asked().in_summary), "form": _form(it, values, problems),
        "why": request.POST.get("why", ""), "submission": secrets.token_hex(16),
        "agreed_decision": decision_of(agreed) if agreed else None,
        "proposal_address": reverse("certainty_proposal", kwargs={"slug": acting.review.slug, "analysis": analysis}),
    }  # fmt: skip
    return render(request, "certainty/consensus.html", context, status=422 if problems else 200)


#: What is decided beside the domains, with its words; all but the certainty belong to the summary of findings.
BESIDE = (("certainty", "overall certainty"), ("target", "target"), ("place", "row of the summary"),
          ("baseline_risk", "baseline risk"))  # fmt: skip


def _compared(sides: list[tuple[Any, Any]], in_summary: bool) -> list[dict[str, Any]]:
    """A line for each thing decided, with what each rater said: the rating, its reason and who gave it."""
    names, decisions = [member.name for member, _ in sides], [decision for _, decision in sides]
    lines = []
    for i, domain in enumerate(decisions[0].domains):
        given = [d.domains[i] for d in decisions]
        said = [(g.rating, g.reason, name) for g, name in zip(given, names, strict=True)]
        lines.append({"name": domain.domain, "given": said, "differ": len({g.rating for g in given}) > 1})
    for name, shown in BESIDE if in_summary else BESIDE[:1]:
        values = [getattr(d, name) for d in decisions]
        reasons = [d.reason if name == "certainty" else "" for d in decisions]
        words = ["–" if v in (None, "") else str(v) for v in values]
        lines.append(
            {"name": shown, "given": list(zip(words, reasons, names, strict=True)), "differ": len(set(values)) > 1}
        )
    return lines


@in_review("view")
@require_GET
def summary(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The summary of findings, at the baseline risks that the reader chooses; for htmx the table alone."""
    problems: tuple[Problem, ...] = ()
    context = _about(acting)
    try:
        synthesis = current_synthesis(acting.review)
        try:
            chosen, query = baselines_in(request.GET, synthesis)
        except InputError as error:
            chosen, query, problems = {}, "", error.problems
        context |= rows_shown(synthesis, chosen, request.GET) | {"query": query}
    except InputError as error:
        problems = error.problems
    context["problems"] = problems
    partly = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    template = "certainty/table.html" if partly else "certainty/summary.html"
    response = render(request, template, context, status=422 if problems and not partly else 200)
    response.headers["Vary"] = "HX-Request, Cookie"
    return response


@in_review("download")
@require_GET
def taken(request: HttpRequest, acting: Acting, kind: str, ending: str) -> HttpResponse:
    """The summary of findings or the evidence profile as a file, at the baseline risks in the address."""
    if (kind, ending) not in WRITERS:
        raise Http404
    write, media_type = WRITERS[kind, ending]
    synthesis = current_synthesis(acting.review)
    chosen, _ = baselines_in(request.GET, synthesis)
    response = HttpResponse(write(synthesis, chosen), content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{acting.review.slug}-{kind}.{ending}"'
    return response


def _found(acting: Acting, analysis: str) -> ToRate:
    if not may_be_rated(acting.review, analysis):
        raise Http404
    return one_to_rate(acting.review, analysis)


def _form(it: ToRate, values: dict[str, Any], problems: tuple[Problem, ...] = ()) -> RatingForm:
    return rating_form(it.asked(str(values["target"]), str(values["baseline"])), values, problems)


def _about(acting: Acting) -> dict[str, Any]:
    may = {f"may_{word}": acting.may(act) for word, act in
           (("set_up", "set up"), ("rate", "rate certainty"), ("discuss", "discuss"))}  # fmt: skip
    return {"review": acting.review, "acting": acting} | may


def _about_it(acting: Acting, it: ToRate) -> dict[str, Any]:
    """What every page of one analysis or comparison says of it."""
    return _about(acting) | {"it": it, "c": it.certainty, "shown": shown_of(it)}
