"""Calculations of guidance as they were kept: the questions one asked, and each computed dose and limit of one."""

from __future__ import annotations

import json
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from balm.actions.team.acting import Acting
from balm.actions.team.calculations import LISTED, Calculation, calculation, calculations
from balm.report.guidance.page import NUMBERS
from balm.vocabulary.problems import InputError
from balm.web.entry import in_review


@require_GET
@in_review("view")
def listed(request: HttpRequest, acting: Acting) -> HttpResponse:
    """One's own questions, the latest first; a lead sees everybody's."""
    found = [(c, _words(c)) for c in calculations(acting)]
    context = {"review": acting.review, "acting": acting, "found": found, "most": LISTED}
    return render(request, "guidance/calculations.html", context)


@require_GET
@in_review("view")
def one(request: HttpRequest, acting: Acting, question: str) -> HttpResponse:
    """Everything that was computed to one question, as it was shown."""
    try:
        found, rows = calculation(acting, question)
    except InputError:
        raise Http404 from None
    context = {
        "review": acting.review,
        "acting": acting,
        "found": found,
        "words": _words(found),
        "rows": [(row, _lines(row.inputs), _lines(row.result)) for row in rows],
        "version": rows[0].guidance_version,
        "software": rows[0].software_version,
    }
    return render(request, "guidance/calculation.html", context)


def _words(found: Calculation) -> str:
    """The question in one line."""
    return "; ".join(f"{name.replace('_', ' ')} {_text(value)}" for name, value in found.asked.items() if value)


#: Results by the words under which the answer shows them.
WORDS = {**dict(NUMBERS), "rate_mg_kg_h": "Rate, per kilogram", "reached": "Reached after"}


def _lines(values: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (WORDS.get(name, name.capitalize()), _text(value))
        for name, value in values.items()
        if value not in (None, {}, [])
    ]


def _text(value: Any) -> str:
    """A kept value as people read it: a quantity by its text, several by commas."""
    if isinstance(value, dict):
        if "text" in value:
            return str(value["text"])
        if "said" in value:
            return str(value["said"])
        return ", ".join(f"{name} {_text(v)}" for name, v in value.items())
    if isinstance(value, list):
        return "; ".join(map(_text, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
