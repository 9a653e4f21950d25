"""The flow across versions: each with its own counts, the total carried on, and no text on another."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from balm.plots.living_flow import living_flow_diagram
from balm.plots.text_width import text_width
from balm.report.document.content import flow_of_versions
from balm.report.document.whole import document
from balm.report.review_report import build_report
from balm.review.flow import Flow
from balm.review.living.update import earlier_flows, living_flow
from balm.review.synthesis import synthesise
from balm.vocabulary.problems import InputError
from tests.unit.review.living.test_history import KETAMINE, version
from tests.unit.review.living.test_update import two_runs

SVG = "{http://www.w3.org/2000/svg}"


def texts(figure) -> list[str]:
    return [t.text or "" for t in ElementTree.fromstring(figure.svg).iter(f"{SVG}text")]


def joined(figure) -> str:
    return " ".join(texts(figure)).replace("\u202f", " ").replace("\u00a0", " ")


def test_each_version_has_its_own_search_and_carries_the_total_on() -> None:
    package = two_runs()
    (first,) = earlier_flows(package)
    figure = living_flow_diagram([("One", "searched 2025-01-01", first), ("Two", "", living_flow(package))])
    said = joined(figure)
    assert "Databases and registers (n = 2)" in said and "Databases and registers (n = 5)" in said
    one, two = said.split("Two", 1)
    assert "Screened (n = 2)" in one and "Studies (n = 1)" in one
    assert "Removed before screening (n = 3)" in two and "Screened (n = 1)" in two and "Waiting (n = 1)" in two
    assert re.findall(r"Studies \(n = (\d)\)", two) == ["1", "2"]  # new here, in the review


def test_what_is_not_known_is_not_zero() -> None:
    figure = living_flow_diagram([("One", "", Flow())])
    assert "n not known" in joined(figure) and "(n = 0)" not in joined(figure)
    with pytest.raises(InputError, match="no version to draw"):
        living_flow_diagram([])


def test_no_text_leaves_its_box_or_stands_on_another() -> None:
    flow = Flow(**dict.fromkeys(("database_results", "register_results", "duplicates", "records_screened",
                                 "dbr_sought_reports", "records_waiting", "dbr_waiting", "new_studies"), 1_234_567),
                is_update=True)  # fmt: skip
    figure = living_flow_diagram([(f"Version {i} with a long label of its own", "2025-01-01", flow) for i in range(7)])
    root = ElementTree.fromstring(figure.svg)
    boxes = [[float(r.get(k, 0)) for k in ("x", "y", "width", "height")] for r in root.iter(f"{SVG}rect")]
    taken = []
    for t in root.iter(f"{SVG}text"):
        if t.get("text-anchor") == "middle":
            continue
        x, y, wide = (
            float(t.get("x", 0)),
            float(t.get("y", 0)),
            text_width(t.text or "", 11, bold=bool(t.get("font-weight"))),
        )
        assert x + wide <= figure.width
        inside = [b for b in boxes[1:] if b[0] <= x <= b[0] + b[2] and b[1] <= y <= b[1] + b[3]]
        assert all(x + wide <= b[0] + b[2] for b in inside)
        assert not any(abs(y - y2) < 11 and x < x2 + w2 and x2 < x + wide for x2, y2, w2 in taken)
        taken.append((x, y, wide))
    assert len(taken) > 100


def test_the_report_shows_it_where_there_are_several_versions() -> None:
    synthesis = synthesise(replace(KETAMINE, versions=(version("1"), version("2"))))
    flow = living_flow(synthesis.package)
    assert "Flow across the versions of the review (PRISMA-LSR)" in build_report(synthesis, flow)
    pictures = {b.id for s in document(synthesis, flow).walk() for b in s.blocks if hasattr(b, "figure")}
    assert "living-flow-figure" in pictures
    known = Flow(database_results=77, register_results=0)  # a server knows more of earlier versions than the package
    figure = flow_of_versions(synthesis, flow, (known,))
    assert figure is not None and "(n = 77)" in joined(figure)
    one = replace(synthesis, package=replace(synthesis.package, versions=synthesis.package.versions[:1]))
    assert flow_of_versions(one, flow) is None
