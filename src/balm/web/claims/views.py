"""A text is pasted and comes back with its claims marked, computed again, beside what the review found."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from balm.actions.claims import known_of
from balm.actions.team.acting import Acting
from balm.actions.team.synthesis import current_synthesis
from balm.report.claims_marked import marked
from balm.review.claims_in_text.check import check_claims
from balm.review.claims_in_text.evidence import Beside, Known, beside_evidence
from balm.vocabulary.problems import InputError
from balm.web.entry import in_review

#: The longest text of one paste: a long article.
MOST_CHARACTERS = 200_000
#: A verdict's mark on the page; the word stands beside it.
BADGES = {"consistent": "good", "inconsistent": "bad", "not checkable": "", "unsupported": "warn"}


@require_http_methods(["GET", "HEAD", "POST"])
@in_review("view")
def claims(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The form, and what was found in the text. Nothing of it is kept on the server."""
    context: dict[str, Any] = {"acting": acting, "review": acting.review, "most": MOST_CHARACTERS}
    if request.method != "POST":
        return render(request, "claims/page.html", context)
    text = request.POST.get("text", "").replace("\r\n", "\n")
    year = request.POST.get("year", "").strip()
    context |= {"text": text, "year": year}
    if problem := _refused(text, year):
        return render(request, "claims/page.html", context | {"problem": problem}, status=422)
    checked = check_claims(text)
    known: list[Known] = []
    try:
        known = known_of(current_synthesis(acting.review))
    except InputError:
        context["no_evidence"] = True
    beside: dict[tuple[int, int], list[Beside]] = {}
    for row in beside_evidence(text, checked, known, int(year) if year else None):
        beside.setdefault((row.start, row.end), []).append(row)
    context |= {
        "checked": checked,
        "pieces": marked(text, checked.claims),
        "rows": [(i, c, BADGES[c.verdict], beside.get((c.start, c.end), [])) for i, c in enumerate(checked, 1)],
    }
    return render(request, "claims/page.html", context)


def _refused(text: str, year: str) -> str:
    if not text.strip():
        return "Paste a text first."
    if len(text) > MOST_CHARACTERS:
        return f"The text has {len(text):,} characters; at most {MOST_CHARACTERS:,} are checked at once."
    if year and not (year.isascii() and year.isdigit() and 1800 <= int(year) <= 2200):
        return f"The year must be a number such as 2019; got {year[:20]!r}."
    return ""
