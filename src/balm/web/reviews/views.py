"""The reviews a person belongs to, and the home of one."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from balm.actions.team.acting import Acting
from balm.store.reviews.models import Member
from balm.web.entry import in_review
from balm.web.stages import STAGES


@login_required
def reviews(request: HttpRequest) -> HttpResponse:
    """The reviews of the person who signed in."""
    memberships = Member.objects.select_related("review").filter(user=request.user, active=True)
    return render(request, "reviews/list.html", {"memberships": memberships.order_by("review__title")})


@in_review("view")
def home(request: HttpRequest, acting: Acting) -> HttpResponse:
    """A review's stages, each with the next thing to do."""
    return render(
        request,
        "reviews/home.html",
        {"acting": acting, "review": acting.review, "stages": [s for s in STAGES if acting.may(s.act)]},
    )
