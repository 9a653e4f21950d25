"""PRISMA 2020 diagram: every count in its box, "not known" where there is none, and nothing drawn that cannot be."""

from __future__ import annotations

import dataclasses
import re
import xml.etree.ElementTree as ET

import pytest

from balm.plots.flow import LEVELS, counted, flow_diagram
from balm.review.flow import Flow
from balm.vocabulary.problems import InputError

WHOLE = Flow(
    database_results=300,
    database_specific_results=(("Medline", 180), ("Embase", 120)),
    register_results=20,
    website_results=2,
    organisation_results=1,
    citations_results=7,
    duplicates=60,
    excluded_automatic=5,
    excluded_other=5,
    records_screened=250,
    records_excluded=220,
    dbr_sought_reports=30,
    dbr_notretrieved_reports=2,
    dbr_assessed=28,
    dbr_excluded=18,
    dbr_excluded_reasons=(("not intravenous", 11), ("acute pain", 7), ("duplicate publication", 0)),
    other_sought_reports=10,
    other_notretrieved_reports=1,
    other_assessed=9,
    other_excluded=6,
    other_excluded_reasons=(("no control group", 6),),
    new_studies=12,
    new_reports=13,
    total_studies_ma=9,
)


def words(figure):
    """All the text of a figure in drawing order, joined by spaces."""
    root = ET.fromstring(figure.svg)
    return " ".join("".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text"))


def test_every_known_count_is_printed_and_nothing_is_unknown():
    text = words(flow_diagram(WHOLE))
    assert "not known" not in text
    for part in (
        "Databases (n = 300)",
        "Medline (n = 180)",
        "Registers (n = 20)",
        "Duplicate records removed (n = 60)",
        "(n = 28)",
        "not intravenous (n = 11)",
        "Citation searching (n = 7)",
        "Studies in a meta-analysis (n = 9)",
    ):
        assert part in text  # fmt: skip


def test_what_is_not_known_is_said_and_never_zero():
    figure = flow_diagram(Flow(new_studies=23, note="The search was not repeated."))
    text = words(figure)
    assert "Records screened (n not known)" in text
    assert "Studies included in review (n = 23)" in text
    assert "The search was not repeated." in text
    assert not re.search(r"n = 0", text)
    assert "counts are not known" in figure.description


def test_a_known_zero_is_printed_as_zero():
    assert counted("Duplicates", 0) == "Duplicates (n = 0)"
    assert "Duplicate records removed (n = 0)" in words(flow_diagram(Flow(duplicates=0)))


def test_reasons_that_excluded_nothing_are_hidden_unless_asked_for():
    assert "duplicate publication" not in words(flow_diagram(WHOLE))
    assert "duplicate publication (n = 0)" in words(flow_diagram(WHOLE, zero_reasons=True))


def test_boxes_for_other_methods_and_previous_studies_come_and_go():
    assert "other methods" not in words(flow_diagram(Flow(uses_other_methods=False)))
    update = dataclasses.replace(
        WHOLE, is_update=True, previous_studies=4, previous_reports=5, total_studies=16, total_reports=18
    )
    text = words(flow_diagram(update, synthesis_box=False))
    assert "Previous studies" in text and "Total studies included in review (n = 16)" in text
    assert "meta-analysis" not in text


def test_counts_that_contradict_each_other_are_not_drawn():
    with pytest.raises(InputError, match="records screened: 250, not 5145"):
        flow_diagram(dataclasses.replace(WHOLE, records_screened=5145))


def test_long_reasons_stay_inside_their_box_and_the_figure_is_written(tmp_path):
    reasons = (("a reason so long that it has to be broken over several lines of the narrow box", 18),)
    flow = dataclasses.replace(WHOLE, dbr_excluded_reasons=reasons)
    figure = flow_diagram(flow, tmp_path / "flow.svg", title="Flow")
    assert (tmp_path / "flow.svg").read_text("utf-8") == figure.svg
    assert "(n = 18)" in words(figure)
    assert max(float(x) for x in re.findall(r'<text x="([0-9.]+)"', figure.svg)) < figure.width


@pytest.mark.parametrize("level", list(LEVELS))
def test_a_level_can_be_left_out_and_the_rest_stays_joined(level):
    flow = dataclasses.replace(
        WHOLE, is_update=True, previous_studies=3, previous_reports=3, total_studies=15, total_reports=16
    )
    whole, less = flow_diagram(flow), flow_diagram(flow, hide=[level])
    assert (less.width, less.height) != (whole.width, whole.height) or level == "removed before screening"
    gone = {
        "previous studies": "Previous studies",
        "other methods": "other methods",
        "removed before screening": "Duplicate records",
        "retrieval": "Reports sought",
        "meta-analysis": "meta-analysis",
    }[level]
    assert gone in words(whole) and gone not in words(less)
    for stays in ("Records screened (n = 250)", "Identification", "Screening", "Included"):
        assert stays in words(less)
    assert less.svg.count("<polygon") >= len(re.findall("Records screened|Reports assessed", words(less)))


def test_a_level_that_is_none_is_refused():
    with pytest.raises(InputError, match="hide must be one of"):
        flow_diagram(WHOLE, hide=["everything"])


def test_contradictions_can_be_shown_with_what_does_not_add_up():
    figure = flow_diagram(dataclasses.replace(WHOLE, records_screened=5145), contradictions="show")
    assert "Records screened (n = 5\u202f145)" in words(figure)
    assert "Does not add up: " in words(figure)
    assert "Does not add up" not in words(flow_diagram(WHOLE, contradictions="show"))


def test_what_waits_for_a_decision_is_said():
    flow = Flow(database_results=10, register_results=0, duplicates=1, excluded_automatic=0, excluded_other=0,
                records_screened=4, records_waiting=5)  # fmt: skip
    assert flow.problems() == ()
    assert "waiting for a decision (n = 5)" in words(flow_diagram(flow))
    assert dataclasses.replace(flow, records_waiting=4).problems() != ()
