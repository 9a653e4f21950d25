"""Take the review home: its package for everybody in it, the whole archive for a lead."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from balm.actions.team import archive as home
from balm.actions.team.acting import Acting
from balm.web.entry import in_review


@require_safe
@in_review("download")
def archive(request: HttpRequest, acting: Acting) -> HttpResponse:
    """What there is to take home, and why something may not be taken just now."""
    may = acting.may("take home")
    shown = {"may_take": may, "why_not": home.why_not_home(acting) if may else ""}
    return render(request, "archive/home.html", shown | {"acting": acting, "review": acting.review})


@require_safe
@in_review("download")
def package(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The review package as a zip."""
    return _download(home.package_zip(acting), acting.review.slug)


@require_POST
@in_review("take home")
def take_home(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The archive as a zip; taking it is noted on the server."""
    return _download(home.archive(acting), f"{acting.review.slug}-archive-{timezone.now():%Y-%m-%d}")


def _download(data: bytes, name: str) -> HttpResponse:
    return HttpResponse(
        data,
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}.zip"', "X-Content-Type-Options": "nosniff"},
    )
