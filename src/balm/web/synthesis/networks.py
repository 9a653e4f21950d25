"""A planned network on the analysis page: graph, forest and tables, to look at and to take away."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from balm.actions.team.acting import Acting
from balm.actions.team.synthesis import current_synthesis
from balm.plots.figure import Figure
from balm.report.document.networks import network_section
from balm.report.document.parts import Listing, Paragraph, Picture
from balm.report.html_report.table import Table
from balm.report.network_files import comparisons_csv, network_script
from balm.review.networks.analysed import NetworkResult
from balm.store.reviews.models import Review
from balm.store.synthesis.current import data_stamp, kept_for
from balm.web.entry import in_review
from balm.web.synthesis.tables import places, shown
from balm.web.synthesis.views import PICTURES

TABLES: dict[str, tuple[Callable[[NetworkResult], bytes], str]] = {
    "csv": (comparisons_csv, "text/csv; charset=utf-8"),
    "py": (network_script, "text/x-python; charset=utf-8"),
}
Block = dict[str, object]


@require_GET
@in_review("view")
def page(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The network in the address, as the report shows it."""
    review = acting.review
    result = _chosen(request, review)
    section = _section(review, result)
    report = reverse("report", kwargs={"slug": review.slug})
    here = places(*(b for b in section if isinstance(b, Table)))
    blocks: list[Block] = []
    for block in section:
        if isinstance(block, Paragraph):
            blocks.append({"text": "".join(run.text for run in block.runs), "quiet": block.kind == "note"})
        elif isinstance(block, Picture):
            blocks.append({"picture": block.figure, "kind": block.id, "name": _short(block)})
        elif isinstance(block, Table):
            blocks.append({"table": shown(block, here, report)})
        elif isinstance(block, Listing):
            items = [(item[0].text, report + item[0].href, item[1].text) for item in block.items]
            blocks.append({"listing": items})
    synthesis = current_synthesis(review)
    context = {
        "acting": acting,
        "review": review,
        "result": result,
        "blocks": blocks,
        "plans": synthesis.package.meta.analyses,
        "networks": synthesis.networks,
        "endings": [("svg", "SVG"), ("png", "PNG"), ("pdf", "PDF")],
    }
    return render(request, "synthesis/network.html", context)


@require_GET
@in_review("view")
def figure(request: HttpRequest, acting: Acting, kind: str, ending: str) -> HttpResponse:
    """A figure of the network, by its name in the report."""
    result = _chosen(request, acting.review)
    found: dict[str, Figure] = {
        block.id: block.figure for block in _section(acting.review, result) if isinstance(block, Picture)
    }
    if kind not in found or ending not in PICTURES:
        raise Http404
    body, media_type = PICTURES[ending](found[kind])
    response = HttpResponse(body, content_type=media_type)
    response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    if "download" in request.GET:
        acting.check("download")
        response.headers["Content-Disposition"] = f'attachment; filename="{_word(kind)}.{ending}"'
    return response


@require_GET
@in_review("download")
def table(request: HttpRequest, acting: Acting, ending: str) -> HttpResponse:
    """Every comparison as CSV, or a script that computes the network again."""
    if ending not in TABLES:
        raise Http404
    result = _chosen(request, acting.review)
    write, media_type = TABLES[ending]
    response = HttpResponse(write(result), content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{_word(result.id)}.{ending}"'
    return response


def _chosen(request: HttpRequest, review: Review) -> NetworkResult:
    """The network that the address names; the first where it names none."""
    found = current_synthesis(review).networks
    name = request.GET.get("network")
    for result in found:
        if name in (None, result.id):
            return result
    raise Http404


def _section(review: Review, result: NetworkResult) -> tuple[object, ...]:
    """The blocks of the network, made once for each state of the data."""

    def make() -> tuple[object, ...]:
        synthesis = current_synthesis(review)
        numbers = {report.report: i for i, report in enumerate(synthesis.package.reports, 1)}
        return network_section(result, synthesis, numbers).blocks

    found: tuple[object, ...] = kept_for(("network view", review.key, result.id), data_stamp(review), make)
    return found


def _short(block: Picture) -> str:
    return "Forest plot" if block.id.endswith("-forest") else "Network graph"


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text) or "network"
