"""The PRISMA 2020 flow at this moment: drawn from decisions, its sums checked each time it is shown."""

from __future__ import annotations

import dataclasses
import hashlib
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_GET

from balm.actions.team.acting import Acting
from balm.actions.team.flow import current_flow
from balm.plots.figure import Figure
from balm.plots.flow import LEVELS, flow_diagram
from balm.report.flow_table import ROWS, flow_csv
from balm.review.analysis_data import canonical
from balm.review.flow import Flow
from balm.web.entry import in_review
from balm.web.synthesis.views import PICTURES

#: Counts without a row of their own in the exchange format.
_NAMES = {
    "dbr": "from databases and registers", "other": "from other methods",
}  # fmt: skip


@require_GET
@in_review("view")
def page(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The diagram with its options, what does not add up, and what is not known."""
    flow = current_flow(acting.review)
    hidden = _hidden(request.GET)
    context = {
        "acting": acting,
        "review": acting.review,
        "flow": flow,
        "figure": _drawn(flow, request.GET),
        "problems": [p.reason for p in flow.problems()],
        "unknown": [_words(name) for name in flow.unknown() if _shown(name, hidden)],
        "levels": [(level, level in hidden) for level in LEVELS if _there(flow, level)],
        "reasons": request.GET.get("reasons") == "all",
        "query": urlencode(
            [*(("hide", h) for h in hidden), *([("reasons", "all")] if request.GET.get("reasons") == "all" else [])]
        ),
        "data": _digest(flow),
        "endings": [("svg", "SVG"), ("png", "PNG"), ("pdf", "PDF")],
    }
    partly = request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request")
    response = render(request, "flow/page.html#diagram" if partly else "flow/page.html", context)
    response.headers["Vary"] = "HX-Request, Cookie"
    return response


@require_GET
@in_review("view")
def figure(request: HttpRequest, acting: Acting, ending: str) -> HttpResponse:
    """The diagram as a file, under the options in the address."""
    if ending not in PICTURES:
        raise Http404
    flow = current_flow(acting.review)
    body, media_type = PICTURES[ending](_drawn(flow, request.GET))
    response = HttpResponse(body, content_type=media_type)
    if request.GET.get("data") == _digest(flow):
        response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    if "download" in request.GET:
        acting.check("download")
        response.headers["Content-Disposition"] = f'attachment; filename="prisma-flow.{ending}"'
    return response


@require_GET
@in_review("download")
def table(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The counts as CSV, under the keys in which flow data are exchanged."""
    response = HttpResponse(flow_csv(current_flow(acting.review)), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="prisma-flow.csv"'
    return response


def _drawn(flow: Flow, query: QueryDict) -> Figure:
    return flow_diagram(flow, hide=_hidden(query), zero_reasons=query.get("reasons") == "all", contradictions="show")


def _hidden(query: QueryDict) -> list[str]:
    """The levels to hide; what is no level is refused by the diagram, with those there are."""
    return list(dict.fromkeys(level for level in query.getlist("hide") if level))


def _there(flow: Flow, level: str) -> bool:
    """Whether the diagram has the level at all."""
    return {"previous studies": flow.is_update, "other methods": flow.uses_other_methods}.get(level, True)


def _digest(flow: Flow) -> str:
    return hashlib.sha256(canonical(dataclasses.asdict(flow)).encode()).hexdigest()[:16]


def _words(name: str) -> str:
    """A count in the words of its box."""
    key, _, of = name.partition(", ")
    said = next((words for k, _, words in ROWS if k == key), key.replace("_", " "))
    side = _NAMES.get(key.partition("_")[0], "")
    return " ".join(part for part in (said.lower(), side, f"({of})" if of else "") if part)


def _shown(name: str, hidden: list[str]) -> bool:
    """Whether a count belongs to a level that is drawn."""
    other = name.startswith(("other_", "website", "organisation", "citations"))
    gone = {
        "other methods": other,
        "retrieval": "sought" in name or "notretrieved" in name,
        "removed before screening": name in ("duplicates", "excluded_automatic", "excluded_other"),
        "previous studies": name.startswith(("previous", "total_studies", "total_reports")) and "_ma" not in name,
        "meta-analysis": name.endswith("_ma"),
    }
    return not any(gone[level] for level in hidden)
