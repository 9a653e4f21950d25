"""The report of a review: for its members, and for anybody where its lead published it."""

from __future__ import annotations

import hashlib
from html import escape

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from balm.actions.team.acting import Acting, acting_in
from balm.actions.team.publishing import publish_report, report_file, report_of
from balm.guidance.therapy import FILE as THERAPY
from balm.store.reviews.models import Review, StoredFile
from balm.vocabulary.problems import InputError
from balm.web.entry import in_review
from balm.web.serve import content_security_policy

#: The forms in which members take the report away, and what the link to each says.
FILES = {"docx": "Word", "pdf": "PDF"}
_MEDIA_TYPES = {
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "pdf": "application/pdf",
}
_BAR_STYLE = """<style>
.server-bar { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; justify-content: flex-end; align-items: center;
  padding: .35rem clamp(1rem, 4vw, 2.5rem); border-bottom: 1px solid var(--rule); background: var(--ground);
  font: .875rem/1.5 var(--sans); }
.server-bar span { margin-right: auto; color: var(--quiet); }
.server-bar a { color: var(--link); padding: .25rem 0; }
@media print { .server-bar { display: none; } }
</style>
"""


@require_GET
def report(request: HttpRequest, slug: str) -> HttpResponse:
    """The live report. Members of the review always see it; others only when it is public, and are told no more."""
    acting = acting_in(slug, request.user)
    if acting is not None:
        acting.check("view")
        home = reverse("review", kwargs={"slug": slug})
        files = [(reverse("report_taken", kwargs={"slug": slug, "ending": end}), name) for end, name in FILES.items()]
        links = [*_guidance(acting.review), *files, (home, "Back to the review")]
        return report_page(request, acting.review, "Live report", links)
    review = Review.objects.filter(slug=slug, public=True).first()
    if review is None:
        if request.user.is_authenticated:
            raise Http404
        return redirect_to_login(request.get_full_path())
    return public_report(request, review)


report.act = "view"  # type: ignore[attr-defined]


@require_GET
@in_review("view")
def taken(request: HttpRequest, acting: Acting, ending: str) -> HttpResponse:
    """The report as a Word file or a PDF, for members."""
    if ending not in FILES:
        raise Http404
    response = HttpResponse(report_file(acting.review, ending), content_type=_MEDIA_TYPES[ending])
    response.headers["Content-Disposition"] = f'attachment; filename="{acting.review.slug}-report.{ending}"'
    return response


def public_report(request: HttpRequest, review: Review) -> HttpResponse:
    """The report of a public review, with a slim bar that leads to signing in."""
    if request.user.is_authenticated:
        way = (reverse("reviews"), "Your reviews")
    else:
        way = (reverse("account_login"), "Sign in")
    try:
        return report_page(request, review, "Public report, live from the review", [*_guidance(review), way])
    except InputError:  # which cell is wrong is the team's to read, not everybody's
        return render(request, "report/not_now.html", {"review_title": review.title}, status=503)


def _guidance(review: Review) -> list[tuple[str, str]]:
    """The way to the guidance, where the package names a therapy."""
    there = StoredFile.objects.filter(review=review, path=THERAPY).exists()
    return [(reverse("guidance", kwargs={"slug": review.slug}), "Guidance")] if there else []


def report_page(request: HttpRequest, review: Review, says: str, links: list[tuple[str, str]]) -> HttpResponse:
    """The report under its own content policy: it brings its styles and pictures with it, and runs no script."""
    page = with_bar(report_of(review), says, links)
    tag = f'"{hashlib.sha256(page.encode()).hexdigest()[:32]}"'
    seen = request.headers.get("If-None-Match") == tag
    response: HttpResponse = HttpResponseNotModified() if seen else HttpResponse(page)
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["Vary"] = "Cookie"
    response.headers["Content-Security-Policy"] = content_security_policy(page)
    return response


def with_bar(page: str, says: str, links: list[tuple[str, str]]) -> str:
    """The page with a bar on top of it, after the link that skips to the content."""
    anchors = "".join(f'<a href="{escape(href)}">{escape(text)}</a>' for href, text in links)
    bar = f'<nav class="server-bar" aria-label="This server"><span>{escape(says)}</span>{anchors}</nav>\n'
    head, _, rest = page.partition("</head>")
    before, masthead, after = rest.partition('<header class="masthead">')
    return f"{head}{_BAR_STYLE}</head>{before}{bar}{masthead}{after}"


@require_POST
@in_review("publish")
def publish(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Publish the report, or withdraw it."""
    public = request.POST.get("public") == "yes"
    publish_report(acting, public, reason=request.POST.get("reason", "").strip()[:2000])
    said = "Anybody can read the report now." if public else "Only members can read the report now."
    messages.success(request, said)
    return redirect("review", slug=acting.review.slug)
