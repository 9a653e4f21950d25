"""Today's infusions: what runs, what is planned, what was held, and what of earlier days was never begun."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from balm.actions.clinic.acting import ClinicActing
from balm.actions.clinic.acting import today as day_of
from balm.actions.clinic.follow_up import due_and_overdue
from balm.store.registry.current import registry_of
from balm.web.registry.entry import in_clinic, page


@require_GET
@in_clinic("clinic view")
def today(request: HttpRequest, acting: ClinicActing) -> HttpResponse:
    """The clinic's day."""
    registry = registry_of(acting.clinic, tables=("participants", "courses", "sessions"))
    day = day_of(registry.definition)
    courses = registry.course_of
    shown = [(s, courses[s.course]) for s in sorted(registry.sessions, key=lambda s: s.start)]
    overdue, due, back = due_and_overdue(acting.clinic, day)
    context = {
        "day": day,
        "running": [p for p in shown if p[0].status == "running"],
        "planned": [p for p in shown if p[0].status == "planned" and p[0].start.date() == day],
        "earlier": [p for p in shown if p[0].status == "planned" and p[0].start.date() < day],
        "ahead": [p for p in shown if p[0].status == "planned" and p[0].start.date() > day][:20],
        "signed": [p for p in shown if p[0].status == "signed" and p[0].start.date() == day],
        "overdue": len(overdue),
        "due": len(due),
        "back": len(back),
    }
    return page(request, acting, "today", context)
