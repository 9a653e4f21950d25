"""The audit trail as a lead reads it: who did what, when, from what, to what, why; and whether the chain is whole."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from balm.actions.team import audit as action
from balm.actions.team.acting import Acting
from balm.store.events.models import Event
from balm.store.reviews.models import Member
from balm.web.entry import in_review

#: A value longer than this is cut on the page; the archive holds it whole.
MAX_SHOWN = 4000


@dataclass(frozen=True)
class Line:
    """An event as the page shows it."""

    event: Event
    at: datetime
    number: int | None
    before: str
    after: str


@in_review("read audit trail")
@require_safe
def audit(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The events one may see, the latest first."""
    entities = action.entities(acting)
    members = list(Member.objects.filter(review=acting.review).order_by("code").values_list("code", flat=True))
    entity = _one_of(request.GET.get("entity", ""), entities)
    who = _one_of(request.GET.get("who", ""), members)
    trail = action.trail(acting, entity=entity, who=who, before=_moment(request.GET.get("before", "")))
    numbers = action.numbers_shown(acting)
    context = {
        "acting": acting,
        "review": acting.review,
        "lines": [_line(event, numbers) for event in trail.events],
        "earlier": trail.earlier,
        "numbers": numbers,
        "entities": entities,
        "members": members,
        "entity": entity,
        "who": who,
    }
    return render(request, "audit/audit.html", context)


@in_review("read audit trail")
@require_safe
def verify(request: HttpRequest, acting: Acting) -> HttpResponse:
    """Walk the chain and say whether every event stands as it was written, where nothing is hidden."""
    context = {"acting": acting, "review": acting.review, "verified": action.verified(acting)}
    template = "audit/verified.html#result" if request.htmx else "audit/verified.html"  # type: ignore[attr-defined]
    return render(request, template, context)


def _line(event: Event, numbers: bool) -> Line:
    return Line(
        event=event,
        at=datetime.fromisoformat(event.at),
        number=event.seq if numbers else None,
        before=_text(event.before),
        after=_text(event.after),
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]} … ({len(text):,} characters)"


def _one_of(word: str, words: list[str]) -> str:
    return word if word in words else ""


def _moment(text: str) -> str:
    try:
        return datetime.fromisoformat(text).isoformat(timespec="microseconds")
    except ValueError:
        return ""
