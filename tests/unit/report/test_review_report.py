"""The report: whole, self-contained, walkable from every pooled number to its source, silent about nothing missing."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from balm.report.html_report.links import addresses, doi_link, host
from balm.report.html_report.study_tables import people, sources
from balm.report.html_report.table import NOT_VERIFIED, Cell, Row, Table, columns, group, number, value
from balm.report.review_report import build_report

FOLDER = Path(__file__).resolve().parents[3] / "reviews" / "ketamine-chronic-pain"
VOID = {"meta", "link", "br", "wbr", "img", "hr", "input"}


class Page(HTMLParser):
    """What a test asks of a page: ids, links, headings, tables, and whether tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loads: list[str] = []
        self.headings: list[int] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.tags.append((tag, found))
        if found.get("id"):
            self.ids.append(found["id"])
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        if tag in ("script", "img", "iframe", "object", "embed", "source", "link", "use", "image"):
            self.loads.append(found.get("src") or found.get("href") or tag)
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID and self.get_starttag_text()[-2:] != "/>":
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


def table_of(html: str, name: str) -> str:
    """The HTML of one table with its note."""
    start = html.index('<div class="table', html.index(f'id="{name}"') - 60)
    return html[start : html.index('class="take"', start)]


def row_of(html: str, name: str) -> str:
    """The HTML of one row."""
    return next(row for row in re.findall(r"<tr.*?</tr>", html, re.DOTALL) if f'id="{name}"' in row)


def downloads(page: Page) -> dict[str, list[list[str]]]:
    """Every CSV of the page by its file name, as rows."""
    return {
        a["download"]: list(csv.reader(io.StringIO(unquote(a["href"].partition(",")[2]).removeprefix("\ufeff"))))
        for t, a in page.tags
        if t == "a" and a.get("download", "").endswith(".csv")
    }


@pytest.fixture(scope="module")
def synthesis():
    """The bundled review, carried out."""
    from balm.review.reading import read_package
    from balm.review.synthesis import synthesise

    files = {str(p.relative_to(FOLDER)): p.read_bytes() for p in FOLDER.rglob("*") if p.is_file()}
    package, problems = read_package(files, FOLDER)
    assert not problems
    return synthesise(package)


@pytest.fixture(scope="module")
def flow(synthesis):
    from balm.review.flow_counts import flow_of

    return flow_of(synthesis.package, {r.study for a in synthesis.analyses if a.fit is not None for r in a.rows})


@pytest.fixture(scope="module")
def html(synthesis, flow):
    return build_report(synthesis, flow)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_the_same_review_gives_the_same_bytes(synthesis, flow, html):
    assert build_report(synthesis, flow) == html


def test_every_tag_closes_and_every_id_is_used_once(page):
    assert page.wrong == [] and page.open == []
    assert [i for i in set(page.ids) if page.ids.count(i) > 1] == []


def test_nothing_is_loaded_from_outside(html, page):
    assert page.loads == ["data:,"]
    assert "@import" not in html and "url(" not in html
    assert "<script" not in html


def test_every_link_inside_the_page_has_a_target(page):
    targets = {link[1:] for link in page.links if link.startswith("#")}
    assert targets - set(page.ids) == set()
    assert all(re.match(r"(#|https?://|data:(text/csv|image/svg\+xml);)", link) for link in page.links)


def test_headings_descend_one_level_at_a_time(page):
    assert page.headings[0] == 1 and page.headings.count(1) == 1
    assert all(b <= a + 1 for a, b in zip(page.headings, page.headings[1:], strict=False))


def test_every_section_of_the_report_is_there(page):
    wanted = ["question", "flow", "studies", "risk-of-bias", "results", "published", "claims", "guidance", "gaps",
              "methods", "references", "numbers"]  # fmt: skip
    assert [i for i in wanted if i not in page.ids] == []


def test_every_table_has_a_caption_and_scoped_headers(page):
    counts = {tag: sum(t == tag for t, _ in page.tags) for tag in ("table", "caption")}
    assert counts["table"] == counts["caption"] > 20
    assert all(attrs.get("scope") in ("row", "col", "colgroup") for tag, attrs in page.tags if tag == "th")


def test_every_pooled_number_leads_to_its_rows_and_every_row_to_the_value_as_reported(synthesis, page):
    for result in synthesis.analyses:
        if result.rows:
            assert f"rows-{result.id}" in page.ids
            assert page.links.count(f"#rows-{result.id}") >= 3
        for row in result.rows:
            for name in row.results:
                assert f"result-{re.sub(r'[^A-Za-z0-9_-]+', '-', name).strip('-')}" in page.ids


def test_each_analysis_says_its_result_or_why_there_is_none(synthesis, page):
    for result in synthesis.analyses:
        assert result.title in page.text
        if result.fit is None and result.single is not None:
            assert "One trial only: not pooled." in page.text
        if result.fit is None and result.single is None:
            assert result.why_not_pooled in page.text


def test_what_is_not_known_is_said_and_what_is_not_verified_is_marked(synthesis, page):
    assert "Records screened (n not known)" in page.text
    assert page.text.count(NOT_VERIFIED) >= len(synthesis.not_verified)
    assert "have not been assessed" in page.text
    faded = [attrs for tag, attrs in page.tags if tag == "tr" and attrs.get("class") == "unverified"]
    assert len(faded) >= len(synthesis.not_verified)


def test_claims_carry_their_severity_and_recomputed_figures(synthesis, page):
    for checked in synthesis.claims:
        assert f"claim-{checked.claim.claim}" in page.ids
    assert {"tag critical", "tag high", "tag medium", "tag low"} <= {
        a.get("class") for t, a in page.tags if t == "span"
    }
    assert "0.0020" in page.text, "A-1: p recomputed from -1.05 [-1.72, -0.39]"


def test_single_arm_proportions_stand_apart(html):
    figure = next(f for f in re.findall(r"<svg.*?</svg>", html, re.DOTALL) if "no control group" in f and "Zhao" in f)
    controlled, _, alone = figure.partition('aria-label="Single-arm series')
    assert "Zhao" in alone and "Zhao" not in controlled.partition("</desc>")[2]


def test_guideline_statements_keep_setting_grade_dose_and_age_and_are_not_ours(synthesis, html, page):
    assert "They are not recommendations of this review" in page.text
    assert all(f"guidance-{s.id}" in page.ids for s in synthesis.package.guidance)
    tables = {name: table_of(html, f"guidance-{name}") for name in ("chronic", "acute", "practice", "other")}
    assert "cohen-2018-5" in tables["chronic"] and "schwenk" not in tables["chronic"]
    assert "schwenk-2018-5" in tables["acute"] and "do not carry over to chronic pain" in tables["acute"]
    assert "8 years old on the date of this review" in tables["chronic"]
    row = row_of(html, "guidance-cohen-2018-6")
    assert ["&gt;2 h" in row, "≥80 mg" in row, ">C<" in row, ">low<" in row] == [True] * 4
    assert "https://doi.org/10.1097/AAP.0000000000000806" in row_of(html, "guidance-schwenk-2018-1")
    greyed = row_of(html, "guidance-cohen-2018-22")
    assert 'class="unverified"' in greyed and NOT_VERIFIED in greyed
    assert "Olsen 2018" in table_of(html, "standards")


def test_doses_stand_in_fields_of_their_own(page):
    said = downloads(page)["guidance-acute.csv"]
    assert said[0][:2] == ["Guideline, setting and age", "Topic"]
    dose = next(row for row in said if row[1] == "Dose")
    assert dict(zip(said[0], dose, strict=True))["Bolus"] == "≤0.35 mg/kg"
    assert dict(zip(said[0], dose, strict=True))["Rate"] == "≤1 mg/kg/h"


def test_a_proportion_is_given_in_per_cent_and_is_not_tested(page):
    rows = {row[0]: row for row in downloads(page)["glance.csv"]}
    series = rows["CRPS, single-arm series: responders at 1 to 3 months (no control group)"]
    assert series[3:7] == ["52%", "36%", "68%", "–"]
    assert series[8] == "Proportion, pooled; no control group"
    assert "P value" not in [row[0] for row in downloads(page)["numbers-crps-series.csv"]]
    assert "P" not in downloads(page)["sensitivity-crps-series.csv"][0]


def test_series_are_not_randomised_and_counts_are_said_once(synthesis):
    studies = {s.label: s for s in synthesis.package.studies}
    assert people(studies["Cohen 2006"]) == "not randomised; 34 analysed"
    assert people(studies["Schwartzman 2009"]) == "26 randomised (per PMC10688501 Table 1)"
    assert people(studies["Eichenberger 2008"]) == "20 randomised; analysed: 10 received ketamine alone"
    assert people(studies["Noppers 2011"]) == "24 randomised and analysed"


def test_each_conversion_is_a_short_line_with_its_formula_below(html):
    row = row_of(html, "row-pain-two-trials-sigtermans2009")
    line = "Placebo, SD from SE: SE 0.48, n = 30 → SD 2.629 (Handbook 6.5, 6.5.2.2)"
    assert f"<li>{line}<details><summary>Formula</summary>SD = SE × √n. Source: Cochrane Handbook" in row
    assert "Placebo: printed ±0.48 (unlabelled) read as standard error." in row
    assert "scale 0–350 moved to 0–10: mean 185, SD 100 → mean 5.286, SD 2.857" in html


def test_sensitivity_analyses_are_grouped_and_say_when_the_answer_moves(page):
    said = downloads(page)["sensitivity-responders-immediate.csv"]
    rows = {row[1]: row for row in said[1:]}
    assert rows["Wald interval"][0] == "Interval for the mean"
    assert rows["Mantel-Haenszel"][0] == "Pooling method"
    assert rows["DerSimonian-Laird"][0] == "Estimator of the between-study variance"
    assert "r = 0.4 to 0.9" in rows, "the counts allow no more, so every further r gives the same"
    moved = [name for name, row in rows.items() if row[-2].startswith("differs")]
    assert moved == ["Parallel trial only"]
    assert "the interval includes no effect, the planned one does not" in rows["Parallel trial only"][-2]


def test_no_text_of_the_published_figure_is_cut(html):
    figure = next(f for f in re.findall(r"<svg.*?</svg>", html, re.DOTALL) if "Zhao" in f and "no control group" in f)
    assert "…" not in figure
    assert figure.count(">Psychotomimetic effects<") == 1, "a sub-heading, not a word in each row"


def test_no_option_of_the_program_is_spelled_in_the_report(page):
    methods_said = page.text[page.text.index("Results were taken as reported") :]
    assert not re.search(r"\b\w+_(zero|zeros|cells|variance|type)\b", methods_said)
    assert "variance type" not in methods_said and "n+1" not in methods_said


def test_the_appendix_is_folded_by_outcome_and_one_file_holds_it_all(synthesis, html, page):
    appendix = html[html.index('<section id="numbers"') :]
    outcomes = {r.outcome for r in synthesis.package.results}
    assert appendix.count("<details>") >= len(outcomes)
    assert len(downloads(page)["results.csv"]) == 1 + len(synthesis.package.results)


def test_methods_name_their_choices_and_the_software(page):
    for words in ("REML", "Hartung-Knapp", "NumPy", "SciPy", "balm 0."):
        assert words in page.text


def test_downloads_hold_the_table_and_the_figure(synthesis, page):
    tables = {a["download"]: a["href"] for t, a in page.tags if t == "a" and a.get("download", "").endswith(".csv")}
    text = unquote(tables["claims-table.csv"].partition(",")[2])
    assert text.startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert len(rows) == 1 + len(synthesis.claims)
    figures = [a["href"] for t, a in page.tags if t == "a" and a.get("download", "").endswith(".svg")]
    assert figures and all(unquote(f.partition(",")[2]).startswith("<svg") for f in figures)


def test_text_of_a_package_stays_text(synthesis, flow):
    hostile = '<script>alert("x")</script>'
    meta = dataclasses.replace(synthesis.package.meta, title=hostile, summary=hostile)
    studies = tuple(
        dataclasses.replace(s, findings=hostile, source="javascript:alert(1)") for s in synthesis.package.studies
    )
    package = dataclasses.replace(synthesis.package, meta=meta, studies=studies)
    html = build_report(dataclasses.replace(synthesis, package=package), flow)
    assert "<script" not in html
    assert 'href="javascript' not in html


def test_a_package_with_nothing_in_it_still_reads_as_a_report(synthesis):
    from balm.review.flow import Flow

    empty = dataclasses.replace(
        synthesis.package, reports=(), studies=(), arms=(), results=(), contrasts=(), risk_of_bias=(), published=(),
        claims=(), gaps=(), cohorts=(), guidance=(), standards=(),
        meta=dataclasses.replace(synthesis.package.meta, traps=(), people=()),
    )  # fmt: skip
    bare = dataclasses.replace(synthesis, package=empty, analyses=(), published=(), claims=(), gaps=(), not_verified=())
    page = Page(build_report(bare, Flow()))
    assert page.wrong == [] and "No published pooled results are on record." in page.text
    assert "No guideline statements are on record." in page.text
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)


def test_a_table_writes_csv_that_a_spreadsheet_cannot_run():
    heads = columns("#Name", ">Value", "+Notes")
    rows = (group("A heading", heads), Row((Cell("a, b"), number(-1.054), Cell("=HYPERLINK(1)"))),
            Row((Cell("c", mark="unsure"), value(None), Cell("-cmd"))))  # fmt: skip
    lines = list(csv.reader(io.StringIO(Table("t", "A table", heads, rows).csv)))
    assert lines == [
        ["Name", "Value", "Notes"],
        ["a, b", "-1.05", "'=HYPERLINK(1)"],
        ["c (unsure)", "not reported", "'-cmd"],
    ]


def test_only_whole_addresses_become_links():
    assert addresses("https://a.org/x ; not an address ; ftp://b.org ; http://c.org/y") == (
        "https://a.org/x",
        "http://c.org/y",
    )
    assert addresses(None) == ()
    assert host("https://www.metajournal.com/articles/3171") == "metajournal.com"
    assert doi_link("10.56126/") is None and doi_link(None) is None
    assert doi_link("10.1002/14651858.CD015373 (protocol DOI)").href == "https://doi.org/10.1002/14651858.CD015373"


def test_a_source_that_is_no_address_stands_in_its_words(synthesis):
    """An import from RevMan names its file and analysis: that is a source, if not a link."""
    cell = sources(synthesis.package, "review.rm5,  CMP-001.01", None, {})
    assert (cell.text, cell.absent) == ("review.rm5, CMP-001.01", False)
    assert sources(synthesis.package, " ", None, {}).absent
