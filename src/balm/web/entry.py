"""The way into every page: each view says who may, and a test walks them all.

A review's pages are for members whose role allows the act; a stranger gets the same 404 as for no review.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse

from balm.actions.team.acting import Acting, acting_in


def in_review(act: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Decorator of a view: ``view(request, acting, ...)`` runs only for a member whose role may do ``act``.

    Anonymous people are sent to sign in, strangers get 404, members without the role get 403 with the reason.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @login_required
        def enter(request: HttpRequest, slug: str, **rest: Any) -> HttpResponse:
            acting = acting_for(request, slug)
            acting.check(act)
            request.acting = acting  # type: ignore[attr-defined]
            return view(request, acting, **rest)

        enter.act = act  # type: ignore[attr-defined]
        return enter

    return decorate


def signed_in(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorator of a view outside reviews: anybody who has signed in; the view itself looks at whose thing it is."""
    enter = login_required(view)
    enter.act = "signed in"  # type: ignore[attr-defined]
    return enter


def anyone(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Decorator of a view that is open to everybody: what it shows was published, or a secret in the link lets in."""
    view.act = "anyone"  # type: ignore[attr-defined]
    return view


def acting_for(request: HttpRequest, slug: str) -> Acting:
    """The signed-in person's membership in the review at ``slug``; 404 where there is none."""
    acting = acting_in(
        slug,
        request.user,
        session=(request.session.session_key or "")[:8],
        request_id=getattr(request, "request_id", ""),
    )
    if acting is None:
        raise Http404
    return acting
