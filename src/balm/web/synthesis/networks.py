"""A planned network on the analysis page: graph, forest and tables, to look at and to take away."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from balm.actions.archive_zip import zipped
from balm.actions.certainty import WRITERS as OF_ANALYSES
from balm.actions.network_certainty import planned_cinema, planned_summary
from balm.actions.team.acting import Acting
from balm.actions.team.certainty import current_comparisons
from balm.actions.team.synthesis import current_synthesis
from balm.plots.figure import Figure
from balm.report.document.network_certainty import network_findings
from balm.report.document.networks import network_section
from balm.report.document.parts import Listing, Paragraph, Picture
from balm.report.html_report.table import Table
from balm.report.network_files import comparisons_csv, network_script
from balm.review.certainty.planned_network import important_of
from balm.review.networks.analysed import NetworkResult
from balm.review.package import Package
from balm.store.reviews.models import Review
from balm.store.synthesis.current import current_package, data_stamp, kept_for
from balm.web.entry import in_review
from balm.web.synthesis.tables import places, shown
from balm.web.synthesis.views import PICTURES, planned


def _cinema(package: Package, result: NetworkResult) -> bytes:
    return zipped(planned_cinema(package, result))


#: (what, ending) -> how it is written, and its media type.
TABLES: dict[tuple[str, str], tuple[Callable[[Package, NetworkResult], bytes], str]] = {
    ("comparisons", "csv"): (lambda _, result: comparisons_csv(result), "text/csv; charset=utf-8"),
    ("comparisons", "py"): (lambda _, result: network_script(result), "text/x-python; charset=utf-8"),
    ("cinema", "zip"): (_cinema, "application/zip"),
} | {
    ("summary", ending): (partial(planned_summary, ending=f".{ending}"), OF_ANALYSES["summary", ending][1])
    for ending in ("docx", "csv", "html")
}
Block = dict[str, object]


@require_GET
@in_review("view")
def page(request: HttpRequest, acting: Acting) -> HttpResponse:
    """The network in the address, as the report shows it."""
    review = acting.review
    result = _chosen(request, review)
    section = _section(review, result)
    rated = _certainty(review, result)
    report = reverse("report", kwargs={"slug": review.slug})
    here = places(*(b for b in (*section, *rated) if isinstance(b, Table)))
    synthesis = current_synthesis(review)
    important, _ = important_of(result)
    context = {
        "acting": acting,
        "review": review,
        "result": result,
        "blocks": _shown(section, here, report),
        "rated": _shown(rated, here, report),
        "important": important,
        "may_set_up": acting.may("set up"),
        "plans": planned(synthesis),
        "networks": synthesis.networks,
        "endings": [("svg", "SVG"), ("png", "PNG"), ("pdf", "PDF")],
    }
    return render(request, "synthesis/network.html", context)


def _shown(section: tuple[object, ...], here: frozenset[str], report: str) -> list[Block]:
    """The blocks as the template reads them, with links to what is on this page or in the report."""
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
    return blocks


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
def table(request: HttpRequest, acting: Acting, kind: str, ending: str) -> HttpResponse:
    """Every comparison as CSV, a script that computes the network again, the summary of findings, or the files for
    CINeMA."""
    if (kind, ending) not in TABLES:
        raise Http404
    result = _chosen(request, acting.review)
    write, media_type = TABLES[kind, ending]
    response = HttpResponse(write(current_package(acting.review), result), content_type=media_type)
    name = result.id if kind == "comparisons" else f"{result.id}-{kind}"
    response.headers["Content-Disposition"] = f'attachment; filename="{_word(name)}.{ending}"'
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


def _certainty(review: Review, result: NetworkResult) -> tuple[object, ...]:
    """The blocks on certainty, made once for each state of the data; none without an estimate."""

    def make() -> tuple[object, ...]:
        found = [it.certainty for it in current_comparisons(review, result.spec).values()]
        return network_findings(current_package(review), result, found) if found else ()

    found: tuple[object, ...] = kept_for(("network certainty", review.key, result.id), data_stamp(review), make)
    return found


def _short(block: Picture) -> str:
    return "Forest plot" if block.id.endswith("-forest") else "Network graph"


def _word(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text) or "network"
