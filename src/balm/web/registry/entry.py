"""The way into a clinic's pages: members whose role allows the act; a stranger gets the 404 of no clinic."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from balm.actions.clinic.acting import ClinicActing, acting_in_clinic

#: Address, title and act of the pages that stand in a clinic's bar, in the order of a day.
PAGES = (
    ("clinic", "Today", "clinic view"),
    ("clinic_due", "Due and overdue", "clinic view"),
    ("clinic_participants", "Participants", "clinic view"),
    ("clinic_reports", "Reports", "clinic report"),
    ("clinic_import", "Import", "clinic import"),
    ("clinic_export", "Export", "clinic export"),
    ("clinic_people", "People", "clinic view"),
    ("clinic_definition", "Definition", "clinic view"),
    ("clinic_trail", "Audit trail", "clinic trail"),
)


def in_clinic(act: str) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Decorator of a view: ``view(request, acting, ...)`` runs only for a member whose role may do ``act``."""

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        @login_required
        def enter(request: HttpRequest, clinic: str, **rest: Any) -> HttpResponse:
            acting = acting_in_clinic(
                clinic,
                request.user,
                session=(request.session.session_key or "")[:8],
                request_id=getattr(request, "request_id", ""),
            )
            if acting is None:
                raise Http404
            acting.check(act)
            return view(request, acting, **rest)

        enter.act = act  # type: ignore[attr-defined]
        return enter

    return decorate


def page(
    request: HttpRequest, acting: ClinicActing, template: str, context: dict[str, Any], *, status: int = 200
) -> HttpResponse:
    """A page of the clinic with its bar, a number for its forms and, where it is simulated, the mark."""
    slug = acting.clinic.slug
    bar = [(title, reverse(url, args=[slug])) for url, title, act in PAGES if acting.may(act)]
    here = max((a for _, a in bar if request.path.startswith(a)), key=len, default="")
    whole = {
        "clinic": acting.clinic,
        "acting": acting,
        "bar": [(title, address, address == here) for title, address in bar],
        "submission": secrets.token_hex(8),
        **context,
    }
    return render(request, f"registry/{template}.html", whole, status=status)


def submission_of(request: HttpRequest) -> str:
    """The number of this form with what it says: the same sent again counts once, something else does not."""
    said = sorted((n, tuple(v)) for n, v in request.POST.lists() if n not in ("csrfmiddlewaretoken", "submission"))
    digest = hashlib.sha256(repr((request.path, said)).encode()).hexdigest()[:24]
    return f"{request.POST.get('submission', '')[:32]}-{digest}" if request.POST.get("submission") else ""


def given(request: HttpRequest, names: Iterable[str]) -> dict[str, str]:
    """The fields of ``names`` that the form holds."""
    return {name: request.POST[name].strip() for name in names if name in request.POST}


def answers_of(request: HttpRequest) -> dict[tuple[str, str], str]:
    """The answers of a questionnaire: fields called ``answer:INSTRUMENT:ITEM``."""
    found = {}
    for name, text in request.POST.items():
        kind, _, rest = name.partition(":")
        instrument, _, item = rest.partition(":")
        if kind == "answer" and item:
            found[instrument, item] = text.strip()
    return found
