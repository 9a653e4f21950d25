"""Pages of versions: history and releases, what changed since a version, one result by version, and behind a number."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_GET, require_POST, require_safe

from balm.actions.archive_zip import zipped
from balm.actions.team import versions as actions
from balm.actions.team.acting import Acting
from balm.actions.team.changes import changes_since, package_now, releases_of
from balm.actions.team.synthesis import current_synthesis
from balm.actions.team.who_extracted import extracted_in
from balm.report.html_report.walk_view import walks_html
from balm.report.standing_words import standing_text
from balm.report.version_forest import forest_by_version
from balm.report.version_words import as_released, changes_parts, compared_with, dates, grouped
from balm.report.walk_back import walk
from balm.review.living.grown import grown as grown_of
from balm.review.living.history import (
    IN_REVIEW,
    MILESTONE,
    labels_of,
    own_versions,
    studies_as_of,
    study_versions,
    timeline,
)
from balm.review.living.update import first_version, update_of
from balm.review.package import Package
from balm.vocabulary.evidence import ReviewVersion
from balm.vocabulary.problems import InputError, Problem
from balm.web.entry import in_review
from balm.web.synthesis.views import PICTURES


@require_GET
@in_review("view")
def page(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The history of the review, its releases, and what a lead may do next."""
    return _page(request, acting)


def _page(request: HttpRequest, acting: Acting, problems: tuple[Problem, ...] = (), status: int = 200) -> HttpResponse:
    package = package_now(acting.review)
    first, own = first_version(package), own_versions(package)
    last = first or own[-1]
    released = {r.version: r for r in actions.manifests_of(acting.review)}
    context = {
        "acting": acting,
        "review": acting.review,
        "rows": _rows(package, set(released)),
        "releases": list(released.values()),
        "tampered": actions.check_releases(acting.review) if released else (),
        "analyses": package.meta.analyses,
        "first": first,
        "latest": None if last.version in released else last,
        "may_update": acting.may("set up"),
        "may_release": acting.may("release"),
        "submission": secrets.token_urlsafe(16),
        "problems": problems,
        "given": request.POST,
    }
    return render(request, "versions/page.html", context, status=status)


def _rows(package: Package, released: set[str]) -> list[dict[str, Any]]:
    came = study_versions(package)
    rows = []
    for at in timeline(package):
        here = studies_as_of(package, at)
        studies = [s for s in package.studies if s.study in here and s.scope in IN_REVIEW]
        own = at.kind != MILESTONE
        rows.append(
            {
                "at": at,
                "own": own,
                "dates": dates(at),
                "studies": len(studies),
                "new": [s.label for s in studies if came[s.study] == at.version] if own else [],
                "update": update_of(package, at) if own and package.records else None,
                "released": at.version in released,
                "report": package.report(at.report),
            }
        )
    return rows


@require_POST
@in_review("set up")
def update(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Begin an update."""
    given = {name: request.POST.get(name, "").strip()[:2000] for name in ("label", "trigger", "searched")}
    try:
        actions.begin_update(acting, request.POST.get("version", "").strip()[:200], **given)
    except InputError as error:
        return _page(request, acting, tuple(error.problems), 422)
    messages.success(request, "The update has begun: searches that are imported from now on are its own.")
    return redirect("versions", slug=acting.review.slug)


@require_POST
@in_review("release")
def release(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Freeze the latest version."""
    sent = request.POST
    try:
        made = actions.release_version(acting, sent.get("version", "")[:200], submission=sent.get("submission", ""))
    except InputError as error:
        return _page(request, acting, tuple(error.problems), 422)
    messages.success(request, f"Version {made.version} is released. Its hash: {made.hash}")
    return redirect("versions", slug=acting.review.slug)


@require_GET
@in_review("view")
def since(request: HttpRequest, acting: Acting, version: str) -> HttpResponse:
    """What changed since a version."""
    package = package_now(acting.review)
    _there(version, [v.version for v in package.versions])
    changes = changes_since(acting.review, version)
    parts = [(title, grouped(lines)) for title, lines in changes_parts(changes, package)]
    context = {
        "acting": acting,
        "review": acting.review,
        "changes": changes,
        "how": compared_with(changes),
        "parts": parts,
    }
    return render(request, "versions/since.html", context)


@require_safe
@in_review("download")
def released(request: HttpRequest, acting: Acting, version: str) -> HttpResponse:
    """A release as a zip: package, results, report and manifest, byte for byte."""
    files = releases_of(acting.review, version).get(version)
    if files is None:
        raise Http404
    return HttpResponse(
        zipped(files),
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{acting.review.slug}-{version}.zip"',
            "X-Content-Type-Options": "nosniff",
        },
    )


@require_GET
@in_review("view")
def grown(request: HttpRequest, acting: Acting, analysis: str) -> HttpResponse:
    """One result with the studies of each version."""
    package = package_now(acting.review)
    spec = _there(analysis, {a.id: a for a in package.meta.analyses})
    steps = grown_of(package, analysis)
    released = actions.released_results(acting.review, analysis)
    lines = [
        {
            "at": s.at,
            "when": _when(s.at),
            "said": standing_text(s.standing, s.result.measure),
            "then": as_released(s, released),
            "new": labels_of(package, s.new),
        }
        for s in steps
    ]
    context = {
        "acting": acting,
        "review": acting.review,
        "plan": spec,
        "lines": lines,
        "figure": forest_by_version(steps),
        "endings": [("svg", "SVG"), ("png", "PNG"), ("pdf", "PDF")],
    }
    return render(request, "versions/grown.html", context)


@require_GET
@in_review("view")
def figure(request: HttpRequest, acting: Acting, analysis: str, ending: str) -> HttpResponse:
    """The forest plot by version as a file."""
    package = package_now(acting.review)
    _there(analysis, [a.id for a in package.meta.analyses])
    picture = forest_by_version(grown_of(package, analysis)) if ending in PICTURES else None
    if picture is None:
        raise Http404
    body, media_type = PICTURES[ending](picture)
    response = HttpResponse(body, content_type=media_type)
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    if "download" in request.GET:
        acting.check("download")
        response.headers["Content-Disposition"] = f'attachment; filename="{analysis}-by-version.{ending}"'
    return response


@require_GET
@in_review("view")
def behind(request: HttpRequest, acting: Acting, analysis: str) -> HttpResponse:
    """What stands behind the numbers of one analysis, down to page, quote and person."""
    synthesis = current_synthesis(acting.review)
    result = _there(analysis, {a.id: a for a in synthesis.analyses})
    chain = walk(result, synthesis, extracted=extracted_in(acting.review))
    report = reverse("report", kwargs={"slug": acting.review.slug})
    # Links into the report, which holds the other anchors; every text in it is escaped where it is written.
    html = walks_html([chain]).replace('href="#', f'href="{report}#').replace("<details ", "<details open ", 1)
    context = {"acting": acting, "review": acting.review, "result": result, "walk": mark_safe(html)}
    return render(request, "versions/behind.html", context)


def _there(name: str, known: Any) -> Any:
    """The thing with this name, or 404."""
    if name not in known:
        raise Http404
    return known[name] if isinstance(known, dict) else name


def _when(at: ReviewVersion) -> str:
    return at.searched or at.date or "not dated"
