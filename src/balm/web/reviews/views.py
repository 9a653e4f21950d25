"""The front page (public reports, or the reviews a person belongs to), and the home of a review."""

from __future__ import annotations

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from balm.actions.team.accounts import nobody_yet
from balm.actions.team.acting import Acting
from balm.actions.team.publishing import public_reviews
from balm.store.reviews.models import Member
from balm.web.entry import anyone, in_review
from balm.web.report.views import public_report
from balm.web.reviews.progress import progress_of
from balm.web.stages import STAGES


@require_safe
@anyone
def reviews(request: HttpRequest) -> HttpResponse:
    """The reviews of the person who signed in; without signing in, what is public.

    On an empty server it says how the first account is made. Exactly one public review: the front page is its report.
    None: people are sent to sign in.
    """
    if not request.user.is_authenticated:
        if nobody_yet():
            return render(request, "accounts/nobody_yet.html")
        public = public_reviews()
        if not public:
            return redirect_to_login(request.get_full_path())
        if len(public) == 1:
            return public_report(request, public[0])
        return render(request, "report/public.html", {"reviews": public})
    memberships = Member.objects.select_related("review").filter(user=request.user, active=True)
    return render(request, "reviews/list.html", {"memberships": memberships.order_by("review__title")})


@require_safe
@in_review("view")
def home(request: HttpRequest, acting: Acting) -> HttpResponse:
    """A review's stages, each with the next thing to do."""
    stages = [(s, progress_of(acting, s.url)) for s in STAGES if acting.may(s.act)]
    return render(
        request,
        "reviews/home.html",
        {
            "acting": acting,
            "review": acting.review,
            "stages": stages,
            "waiting": [(stage, part) for stage, parts in stages for part in parts if part.waits],
            "may_publish": acting.may("publish"),
        },
    )
