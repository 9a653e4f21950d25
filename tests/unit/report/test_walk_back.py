"""Every number of a result leads to the chain behind it, down to page, quote and person; what is not known is said."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

from balm.actions.review import Review
from balm.report.document.certainty import summary_table
from balm.report.document.parts import Paragraph, target_of, targets
from balm.report.document.whole import document
from balm.report.html_report.analysis_view import at_a_glance, view
from balm.report.html_report.study_tables import results
from balm.report.html_report.table import Cell, Row, Table, columns
from balm.report.html_report.walk_view import walks_html
from balm.report.summary_of_findings import summary_of_findings
from balm.report.summary_of_findings_files import summary_csv
from balm.report.walk_back import NOT_RECORDED, Walk, quantities, variant_keys, walk
from balm.review.synthesis import Synthesis, analyse

BUNDLED = Review.load(Path(__file__).parents[3] / "reviews" / "ketamine-chronic-pain")
KETAMINE, REVIEW = BUNDLED.package, BUNDLED.synthesise()


def walks(synthesis: Synthesis) -> list[Walk]:
    return [walk(a, synthesis) for a in synthesis.analyses]


def ids(html: str) -> list[str]:
    return re.findall(r'id="(at:[^"]+)"', html)


def test_every_printed_number_of_a_result_has_an_address_and_no_two_share_one() -> None:
    html = walks_html(walks(REVIEW))
    there = ids(html)
    assert len(there) == len(set(there))
    wanted = {cell.href for row in at_a_glance(REVIEW).rows for cell in row.cells if cell.href.startswith("#at:")}
    for a in REVIEW.analyses:
        shown = view(a, REVIEW, {})
        for table in (shown.numbers, shown.absolute):
            cells = [cell for row in table.rows for cell in row.cells] if table else []
            wanted |= {cell.href for cell in cells if cell.href.startswith("#at:")}
    assert len(wanted) > 60
    assert {href[1:] for href in wanted} <= set(there)


def with_subgroups() -> Synthesis:
    spec = replace(REVIEW.analysis("responders-immediate").spec, by="design")
    return replace(REVIEW, analyses=(analyse(KETAMINE, spec),))


@pytest.mark.parametrize("synthesis", [REVIEW, with_subgroups()], ids=["bundled", "subgroups"])
def test_a_number_of_any_table_is_the_one_printed_at_its_address(synthesis: Synthesis) -> None:
    printed: dict[str, str] = {}
    for w in walks(synthesis):
        for q in [*w.quantities, *(q for v in w.variants for q in v.quantities)]:
            assert q.id not in printed
            printed[q.id] = q.printed
    seen = dict.fromkeys(("sensitivity", "subgroup"), 0)
    for a in synthesis.analyses:
        shown = view(a, synthesis, {})
        for table in (shown.sensitivity, shown.subgroups):
            for row in table.rows if table else ():
                numbers = [c for c, column in zip(row.cells, table.columns, strict=False) if column.kind == "number"]
                for cell in numbers:
                    if any(x.isdigit() for x in cell.text):
                        there = printed[cell.href[1:]].removesuffix("%").removeprefix("P ").removeprefix("= ")
                        assert there.startswith(cell.text) or float(there) == pytest.approx(float(cell.text), abs=0.51)
                        for kind in seen:
                            seen[kind] += f":{kind}-" in cell.href
    assert seen["subgroup" if len(synthesis.analyses) == 1 else "sensitivity"] > 5
    html = walks_html(walks(synthesis))
    assert len(ids(html)) == len(set(ids(html))) and set(printed) <= set(ids(html))


#: Tables of what reports say, and of the plan: their rows are the addresses of what they hold, or hold no result.
OF_OTHERS = ("published-table", "claims-table", "gaps-table", "characteristics", "outside", "searches-table")


def without_address(table: Table) -> list[str]:
    """The numbers of a table that lead nowhere."""
    return [
        f"{table.id}: {row.cells[0].text}, {column.title} {cell.text}"
        for row in table.rows if not row.group
        for cell, column in zip(row.cells, table.columns, strict=True)
        if column.kind == "number" and any(x.isdigit() for x in cell.text) and not cell.href
    ]  # fmt: skip


@pytest.mark.parametrize("synthesis", [REVIEW, with_subgroups()], ids=["bundled", "subgroups"])
def test_no_number_of_a_result_is_without_an_address(synthesis: Synthesis) -> None:
    there = set(ids(walks_html(walks(synthesis))))
    tables = [at_a_glance(synthesis)]
    for a in synthesis.analyses:
        shown = view(a, synthesis, {})
        tables += [t for t in (shown.numbers, shown.absolute, shown.rows, shown.sensitivity, shown.subgroups) if t]
    assert [text for t in tables for text in without_address(t)] == []
    led = {c.href[1:] for t in tables for r in t.rows for c in r.cells if c.href.startswith("#at:")}
    assert len(led) > 40 and led <= there
    if synthesis is REVIEW:
        assert {"at:responders-immediate:difference-high", "at:pain-two-trials:q-p"} <= led
        assert without_address(replace(tables[0], rows=(Row((Cell("x"), Cell("3"), *tables[0].rows[0].cells[2:])),)))


def test_word_and_pdf_hold_no_number_without_an_address() -> None:
    for section in document(REVIEW, BUNDLED.flow()).walk():
        for table in (b for b in section.blocks if isinstance(b, Table) and b.id not in OF_OTHERS):
            assert table.id.startswith("rows-") or without_address(table) == []
            assert not table.id.startswith("rows-") or all(row.id for row in table.rows)
            if table.id in ("sof", "evidence-profile"):
                cells = [c for row in table.rows for c in (row.cells[4], row.cells[1])]
                assert all(c.href for c in cells if any(x.isdigit() for x in c.text))


def test_the_csv_of_a_table_says_the_address_of_each_row() -> None:
    result = REVIEW.analysis("pain-two-trials")
    shown = view(result, REVIEW, {})
    assert shown.rows is not None and shown.numbers is not None and shown.sensitivity is not None
    lines = {t.id: list(csv.reader(io.StringIO(t.csv))) for t in (shown.rows, shown.numbers, shown.sensitivity)}
    assert all(line[0][-1] == "Address" and all(len(x) == len(line[0]) for x in line) for line in lines.values())
    assert lines["rows-pain-two-trials"][1][-1] == "pain-two-trials:sigtermans2009"
    assert ["τ²", "pain-two-trials:tau2"] in [[x[0], x[-1]] for x in lines["numbers-pain-two-trials"]]
    key = variant_keys(result)[0][0]
    assert lines["sensitivity-pain-two-trials"][2][-1] == f"pain-two-trials:{key}"
    table = summary_of_findings(REVIEW)
    assert [x[-1] for x in csv.reader(io.StringIO(summary_csv(table)))][1] == table.findings[0].analysis
    assert "Address" not in Table("t", "No result", columns("#A"), (Row((Cell("1"),)),)).csv


def test_names_of_repetitions_stay_when_others_come_before_them() -> None:
    result = REVIEW.analysis("responders-immediate")
    keys = variant_keys(result)[0]
    turned = variant_keys(replace(result, sensitivity=result.sensitivity[::-1]))[0]
    assert len(set(keys.values())) == len(result.sensitivity) > 3
    assert set(keys.values()) == set(turned.values())
    assert keys[0] == turned[len(keys) - 1]


def test_the_forest_plot_and_the_summary_of_findings_lead_behind_their_numbers() -> None:
    there = set(ids(walks_html(walks(REVIEW))))
    plot = view(REVIEW.analysis("responders-immediate"), REVIEW, {}).figure
    assert plot is not None
    linked = set(re.findall(r'<a href="#(at:[^"]+)"', plot.svg))
    assert "at:responders-immediate:estimate" in linked and "at:responders-immediate:noppers2011" in linked
    assert len(linked) == 5 and linked <= there
    table = summary_table(summary_of_findings(REVIEW))
    rows = [row for row in table.rows if "no data" not in row.cells[3].plain and row.cells[4].plain[:2] != "0 "]
    assert len(rows) > 2
    for row in rows:
        for link in (row.cells[2].links[0].href, row.cells[4].href):
            assert link[1:] in there
    assert any(row.cells[3].href.endswith(":estimate") and row.cells[3].href[1:] in there for row in rows)


def test_word_and_pdf_lead_from_a_number_to_the_studies_and_print_its_address() -> None:
    whole = document(REVIEW, BUNDLED.flow())
    known = targets(whole)
    said = [b.runs[0].text for s in whole.walk() for b in s.blocks if isinstance(b, Paragraph)]
    assert any(":estimate, :low, :high, :p" in text and "pain-week-1:studies" in text for text in said)
    hrefs = {c.href for s in whole.walk() for t in s.blocks if isinstance(t, Table) for r in t.rows for c in r.cells}
    numbers = {href for href in hrefs if href.startswith("#at:")}
    assert len(numbers) > 100 and {target_of(href, known) for href in numbers} <= known
    assert target_of("#at:pain-two-trials:estimate", known) == "rows-pain-two-trials"
    rows = tuple(replace(r, extracted_by="ana", extracted="2026-03-01", page="Table 2", quote="lower")
                 for r in KETAMINE.results[:1])  # fmt: skip
    _, (table,) = results(replace(KETAMINE, results=rows), {})
    assert "Table 2: “lower”. Extracted by ana, 2026-03-01." in table.rows[0].cells[6].plain


def test_what_is_printed_at_an_address_is_the_number_in_full() -> None:
    for a in REVIEW.analyses:
        for q in quantities(a):
            assert q.address.startswith(f"{a.id}:")
            assert q.name and q.printed
    result = REVIEW.analysis("pain-two-trials")
    found = {q.address.rpartition(":")[2]: q.exact for q in quantities(result)}
    assert result.fit is not None
    assert found["estimate"] == result.fit.displayed.estimate and found["tau2"] == result.fit.tau2
    assert found["studies"] == 2 and found["people"] == 80


def test_the_chain_goes_from_the_result_to_the_row_the_page_and_the_person() -> None:
    step = walk(REVIEW.analysis("pain-two-trials"), REVIEW).step("sigtermans2009")
    assert step.effect == "-2.77 [-4.14, -1.40]" and step.weight.endswith("%")
    assert any("SD" in line.more for line in step.conversions), "the formula stands with the conversion"
    assert len(step.reported) == 2
    one = step.reported[0]
    row = next(r for r in KETAMINE.results if r.result == one.id)
    assert one.row == row.row and "2.68" in one.printed and any("journals.lww.com" in link.href for link in one.links)
    assert one.extracted.startswith(NOT_RECORDED) and "The balm project" in one.extracted


def test_who_extracted_a_value_and_when_is_what_the_row_says_or_the_server_knows() -> None:
    rows = tuple(
        replace(r, extracted_by="ana and ben", extracted="2026-03-01", page="Table 2", quote="lower at <week 1>")
        for r in KETAMINE.results
    )
    package = replace(KETAMINE, results=rows)
    result = REVIEW.analysis("pain-two-trials")
    step = walk(result, replace(REVIEW, package=package)).studies[0]
    assert step.reported[0].extracted == "ana and ben, 2026-03-01"
    known = {step.reported[0].id: "carl, 2026-04-02"}
    told = walk(result, replace(REVIEW, package=package), extracted=known).studies[0].reported
    assert [v.extracted for v in told] == ["carl, 2026-04-02", "ana and ben, 2026-03-01"]
    html = walks_html([walk(result, replace(REVIEW, package=package))])
    assert "Table 2; “lower at &lt;week 1&gt;”" in html and "Extracted by: ana and ben, 2026-03-01" in html


def test_a_source_that_is_no_address_is_named_in_the_chain() -> None:
    rows = tuple(replace(r, source="review.rm5,  CMP-001.01 <a>", report=None) for r in KETAMINE.results)
    told = replace(REVIEW, package=replace(KETAMINE, results=rows))
    html = walks_html([walk(REVIEW.analysis("pain-two-trials"), told)])
    assert "Read in: review.rm5, CMP-001.01 &lt;a&gt;;" in html and "no source recorded" not in html


def test_a_row_that_is_not_verified_and_a_page_that_is_not_on_record_say_so() -> None:
    html = walks_html(walks(REVIEW))
    assert "page not on record" in html and "no words of the report kept" in html


def test_an_analysis_without_numbers_has_no_chain() -> None:
    empty = [a for a in REVIEW.analyses if not a.rows]
    assert empty and all(quantities(a) == () for a in empty)
    assert walks_html(walk(a, REVIEW) for a in empty) == ""


@pytest.mark.parametrize("name", ["responders-immediate", "crps-series"])
def test_the_weights_of_a_chain_add_up(name: str) -> None:
    steps = walk(REVIEW.analysis(name), REVIEW).studies
    assert sum(float(s.weight.removesuffix("%")) for s in steps) == pytest.approx(100, abs=0.2)


def test_the_history_names_versions_and_milestones_with_their_sources() -> None:
    from balm.report.html_report.versions_view import version_history

    table = version_history(KETAMINE, {r.report: i for i, r in enumerate(KETAMINE.reports, 1)})
    cells = [[cell.plain for cell in row.cells] for row in table.rows]
    assert cells[0][:5] == ["Orhurhu 2019", "search of a published review", "2019", "2017-12-16", "26"]
    assert "medscape.com" in cells[0][-1] and cells[-1][0] == "This review 0.1" and cells[1][3] == "not reported"
    assert version_history(replace(KETAMINE, versions=()), {}).rows == ()


def test_a_link_to_all_numbers_of_a_result_leads_into_its_folded_part() -> None:
    """A browser unfolds what holds the target of a link, and leaves a target folded that is folded itself."""
    html = walks_html(walks(REVIEW))
    assert re.findall(r'<details[^>]* id="', html) == []
    assert "<summary>" in html and 'id="at:pain-week-1"' in html
