"""Pages of risk of bias: what there is to assess, the form of a domain, one's own assessment, consensus, figures."""

from __future__ import annotations

import secrets
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from balm.actions.team import risk_of_bias as actions
from balm.actions.team import risk_of_bias_discussion as discussion
from balm.actions.team.acting import Acting, Refused
from balm.plots.risk_of_bias import KINDS, risk_of_bias_plot
from balm.plots.risk_of_bias_lights import PALETTES
from balm.review.contrasts import timepoint_of
from balm.review.package import Package
from balm.review.risk_of_bias.instrument import INSTRUMENTS, Instrument, instrument
from balm.review.risk_of_bias.on_record import groups
from balm.review.risk_of_bias.settled import bias_domains, steps
from balm.review.risk_of_bias.standing import (
    Standing,
    why_not_assess,
    why_not_decide,
    why_not_finish,
    why_not_propose,
    why_not_settle,
)
from balm.review.risk_of_bias.targets import NOT_CODED, Target, group_title, in_words, target_at
from balm.review.risk_of_bias.weights import table_of, weights_of
from balm.review.risk_of_bias.words import OVERALL
from balm.store.extraction.current import full_texts_of
from balm.store.risk_of_bias.standing import agreed_of, assessments_of, judged, proposals_of, standing_of
from balm.store.synthesis.current import current_package, data_stamp, kept_for
from balm.vocabulary.problems import InputError, Problem
from balm.web.entry import in_review
from balm.web.risk_of_bias.forms import FIELDS, domain_form
from balm.web.risk_of_bias.pages import compared, is_overall_stale, steps_shown, studies_of, submission

MEDIA = {"svg": "image/svg+xml", "png": "image/png", "pdf": "application/pdf"}


@in_review("view")
@require_GET
def index(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Studies and their results, with one's own progress, and the figures of what was agreed."""
    package = current_package(acting.review)
    chosen = request.GET.get("instrument", "")
    outcome = request.GET.get("outcome", "")
    name = chosen if chosen in INSTRUMENTS else None
    shown = kept_for(
        ("risk of bias", acting.review.key),
        data_stamp(acting.review),
        lambda: [_group_words(package, group) for group in groups(package.risk_of_bias)],
    )
    return render(
        request,
        "risk_of_bias/index.html",
        _about(acting)
        | {
            "studies": studies_of(acting, package, name, outcome),
            "instruments": [(n, instrument(n)) for n in INSTRUMENTS],
            "chosen": chosen,
            "outcome": outcome,
            "outcomes": package.meta.outcomes,
            "groups": shown,
            "palettes": tuple(PALETTES),
        },
    )


@in_review("assess")
@require_GET
def assessment(request: HttpRequest, acting: Acting, name: str, study: str, place: str) -> HttpResponse:
    """One's own assessment of a result: every domain, and the way to finish."""
    target, one, about = _target(acting, name, study, place)
    standing = standing_of(acting.review, target)
    own = assessments_of(acting.review, target, acting.member.code)
    code = acting.member.code
    found = steps_shown(one, own)
    return render(
        request,
        "risk_of_bias/assessment.html",
        about
        | {
            "steps": found,
            "next": next((step for step in found if not step.judgement), None),
            "own": own,
            "refused": why_not_assess(code, standing),
            "not_finished": why_not_finish(code, standing, one, judged(own)),
            "finished": code in standing.finished,
            "revealed": standing.revealed,
            "submission": submission(target, "finish", 1),
        },
    )


@in_review("assess")
@require_http_methods(["GET", "POST"])
def domain(request: HttpRequest, acting: Acting, name: str, study: str, place: str, step: str) -> HttpResponse:
    """The form of one domain: shown, or saved."""
    target, one, about = _target(acting, name, study, place)
    _known_step(one, step)
    own = assessments_of(acting.review, target, acting.member.code)
    problems: tuple[Problem, ...] = ()
    if request.method == "POST":
        answers, values = _sent(request, one, step)
        try:
            actions.assess(
                acting, target, step, submission=request.POST.get("submission", ""), answers=answers, **values
            )
            return _after_saving(acting, target, one, step)
        except InputError as error:
            problems = error.problems
    else:
        answers, values = _of_row(own.get(step))
    if step == OVERALL:
        answers = {d.id: own[d.id].judgement for d in bias_domains(one) if d.id in own}
    standing = standing_of(acting.review, target)
    context = about | {
        "form": domain_form(one, step, answers, values, problems),
        "steps": steps_shown(one, own, step),
        "stale": step == OVERALL and is_overall_stale(one, own),
        "refused": why_not_assess(acting.member.code, standing),
        "submission": submission(target, step, own[step].turn + 1 if step in own else 1),
        "proposal_address": _address("risk_of_bias_proposal", acting, target, step=step),
    }
    return render(request, "risk_of_bias/domain.html", context, status=422 if problems else 200)


@in_review("discuss")
@require_POST
def proposal(request: HttpRequest, acting: Acting, name: str, study: str, place: str, step: str) -> HttpResponse:
    """What the answers so far trigger and propose; nothing is saved."""
    target, one, about = _target(acting, name, study, place)
    _known_step(one, step)
    answers, values = _sent(request, one, step)
    if step == OVERALL:
        rows: Any = (
            agreed_of(acting.review, target)
            if request.POST.get("of") == "consensus" and not why_not_decide(standing_of(acting.review, target))
            else assessments_of(acting.review, target, acting.member.code)
        )
        answers = {d.id: rows[d.id].judgement for d in bias_domains(one) if d.id in rows}
    context = about | {
        "form": domain_form(one, step, answers, values),
        "proposal_address": _address("risk_of_bias_proposal", acting, target, step=step),
    }
    return render(request, "risk_of_bias/questions.html", context)


@in_review("assess")
@require_POST
def finish(request: HttpRequest, acting: Acting, name: str, study: str, place: str) -> HttpResponse:
    """Say that one's assessment is complete."""
    target, _, _ = _target(acting, name, study, place)
    actions.finish(acting, target, submission=request.POST.get("submission", ""))
    return redirect(_address("risk_of_bias_assessment", acting, target))


@in_review("discuss")
@require_GET
def consensus(request: HttpRequest, acting: Acting, name: str, study: str, place: str) -> HttpResponse:
    """Both assessments side by side, once both are finished."""
    target, one, about = _target(acting, name, study, place)
    standing = standing_of(acting.review, target)
    refused = why_not_decide(standing)
    agreed = {} if refused else agreed_of(acting.review, target)
    sides = {} if refused else {c: assessments_of(acting.review, target, c) for c in standing.assessors}
    said = {} if refused else proposals_of(acting.review, target)
    rows = () if refused else tuple(compared(acting, one, standing, sides, agreed, said))
    return render(
        request,
        "risk_of_bias/consensus.html",
        about
        | {
            "refused": refused,
            "rows": rows,
            "assessors": [side for row in rows[:1] for side in row.sides],
            "how": _how(acting, standing),
            "open_same": sum(row.same and row.agreed is None for row in rows),
            "stale": is_overall_stale(one, agreed),
            "complete": bool(rows) and all(row.agreed for row in rows) and not is_overall_stale(one, agreed),
            "submission": submission(target, "accept", len(agreed) + 1),
        },
    )


@in_review("discuss")
@require_POST
def accept(request: HttpRequest, acting: Acting, name: str, study: str, place: str) -> HttpResponse:
    """Take over what both assessors say."""
    target, _, _ = _target(acting, name, study, place)
    actions.accept_what_agrees(acting, target, submission=request.POST.get("submission", ""))
    return redirect(_address("risk_of_bias_consensus", acting, target))


def _how(acting: Acting, standing: Standing) -> str:
    """How this member takes part in the consensus: ``settle`` as a third person, ``propose`` in discussion, or not."""
    if acting.may("agree") and not why_not_settle(acting.member.code, standing):
        return "settle"
    return "propose" if acting.may("assess") and not why_not_propose(acting.member.code, standing) else ""


@in_review("discuss")
@require_http_methods(["GET", "POST"])
def decide(request: HttpRequest, acting: Acting, name: str, study: str, place: str, step: str) -> HttpResponse:
    """Settle one domain between the two assessors, or as one of them propose how."""
    target, one, about = _target(acting, name, study, place)
    _known_step(one, step)
    standing = standing_of(acting.review, target)
    if refused := why_not_decide(standing):
        return render(request, "risk_of_bias/consensus.html", about | {"refused": refused})
    how = _how(acting, standing)
    if not how:
        raise Refused(why_not_propose(acting.member.code, standing) or "a third person settles what two assessed")
    proposals = proposals_of(acting.review, target).get(step, {})
    agreed = agreed_of(acting.review, target)
    sides = {code: assessments_of(acting.review, target, code) for code in standing.assessors}
    row = next(r for r in compared(acting, one, standing, sides, agreed) if r.id == step)
    problems: tuple[Problem, ...] = ()
    if request.method == "POST":
        answers, values = _sent(request, one, step)
        try:
            act = actions.agree if how == "settle" else discussion.propose
            act(
                acting, target, step, submission=request.POST.get("submission", ""), answers=answers,
                reason=request.POST.get("reason", ""), seen=_number(request.POST.get("seen", "")), **values,
            )  # fmt: skip
            return redirect(_address("risk_of_bias_consensus", acting, target))
        except InputError as error:
            problems = error.problems
    else:
        start = request.GET.get("from", "")
        mine, last = proposals.get(acting.member.code), next(reversed(proposals.values()), None)
        begun = mine or last or agreed.get(step) or (row.sides[0].row if row.same else None)
        answers, values = _of_row(sides[start].get(step) if start in sides else begun)
        if begun is None and start not in sides:
            answers = _in_common([side.row.answers for side in row.sides])
    if step == OVERALL:
        answers = {d.id: agreed[d.id].judgement for d in bias_domains(one) if d.id in agreed}
    context = about | {
        "form": domain_form(one, step, answers, values, problems),
        "row": row,
        "steps": steps_shown(one, agreed, step),
        "reason": request.POST.get("reason", ""),
        "seen": agreed[step].turn if step in agreed else 0,
        "submission": submission(target, step, agreed[step].turn + 1 if step in agreed else 1)
        if how == "settle"
        else secrets.token_hex(16),
        "proposal_address": _address("risk_of_bias_proposal", acting, target, step=step),
        "of_consensus": True,
        "how": how,
        "proposals": [p for code, p in proposals.items() if code != acting.member.code],
        "own_proposal": proposals.get(acting.member.code),
    }
    return render(request, "risk_of_bias/decide.html", context, status=422 if problems else 200)


@in_review("view")
@require_GET
def figure(request: HttpRequest, acting: Acting, number: int, kind: str, ending: str) -> HttpResponse:
    """A figure of the agreed judgements of one instrument and kind of result, as a file."""
    package = current_package(acting.review)
    found = groups(package.risk_of_bias)
    if kind not in KINDS or ending not in MEDIA or not 1 <= number <= len(found):
        raise Http404
    group = found[number - 1]
    by_weight = kind == "summary" and request.GET.get("weights") == "meta-analysis"
    weights = weights_of(package, group) if by_weight else None
    if by_weight and not weights:
        raise InputError("no planned analysis pools these results, so the studies have no weights; count them equally")
    options: dict[str, Any] = {"weighted": by_weight} if kind == "summary" else {}
    made = risk_of_bias_plot(
        table_of(package, group, weights), kind=kind, title=_group_words(package, group)["title"],
        palette=request.GET.get("palette", "cochrane"), **options,
    )  # fmt: skip
    data = made.svg.encode() if ending == "svg" else made.png() if ending == "png" else made.pdf()
    response = HttpResponse(data, content_type=MEDIA[ending])
    if "download" in request.GET:
        response.headers["Content-Disposition"] = f'attachment; filename="risk-of-bias-{number}-{kind}.{ending}"'
    return response


def _group_words(package: Package, group: Any) -> dict[str, Any]:
    return {
        "title": group_title(package, group),
        "studies": len({j.study for j in group.judgements}),
        "pooled": group.outcome is not None and bool(weights_of(package, group)),
    }


def _about(acting: Acting) -> dict[str, Any]:
    return {"review": acting.review, "acting": acting, "may_assess": acting.may("assess")}


def _target(acting: Acting, name: str, study: str, place: str) -> tuple[Target, Instrument, dict[str, Any]]:
    package = current_package(acting.review)
    target = target_at(package, name, study, place)
    if target is None:
        raise Http404
    one = instrument(name)
    row = package.study(study)
    about = _about(acting) | {
        "target": target,
        "instrument": one,
        "study": row,
        "words": in_words(package, target),
        "variant": NOT_CODED.get(row.design, "") if one.overall == "rob2" else "",
        "reports": [r for r in package.reports if study in r.studies],
        "papers": [
            (r, reverse("extraction-paper", kwargs={"slug": acting.review.slug, "study": study, "report": r}))
            for r in full_texts_of(acting.review, study, row.report or "")
        ],
        "results": [(r, timepoint_of(r)) for r in package.results_of(study) if r.outcome == target.outcome][:12],
    }
    return target, one, about


def _known_step(one: Instrument, step: str) -> None:
    if step not in steps(one):
        raise Http404


def _sent(request: HttpRequest, one: Instrument, step: str) -> tuple[dict[str, str], dict[str, str]]:
    """Answers and fields of a form, whatever else was sent with it."""
    known = [] if step == OVERALL else [q.id for q in one.domain(step).questions]
    answers = {q: request.POST.get(f"q{q}", "") for q in known if f"q{q}" in request.POST}
    return answers, {field: request.POST.get(field, "") for field in FIELDS}


def _of_row(row: Any) -> tuple[dict[str, str], dict[str, str]]:
    if row is None:
        return {}, {}
    values = {field: getattr(row, field) for field in FIELDS}
    if row.judgement == row.proposed:
        values["judgement"] = ""
    return dict(row.answers), values


def _in_common(sides: list[dict[str, str]]) -> dict[str, str]:
    """The answers that both assessors give: what is open is left to whoever decides."""
    return {q: a for q, a in sides[0].items() if all(side.get(q) == a for side in sides)}


def _after_saving(acting: Acting, target: Target, one: Instrument, step: str) -> HttpResponse:
    order = steps(one)
    after = order[order.index(step) + 1 :]
    own = assessments_of(acting.review, target, acting.member.code)
    following = next((s for s in after if s not in own), None)
    if following:
        return redirect(_address("risk_of_bias_domain", acting, target, step=following))
    return redirect(_address("risk_of_bias_assessment", acting, target))


def _address(page: str, acting: Acting, target: Target, **more: str) -> str:
    named = {"slug": acting.review.slug, "name": target.instrument, "study": target.study, "place": target.place}
    return reverse(page, kwargs=named | more)


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else -1
