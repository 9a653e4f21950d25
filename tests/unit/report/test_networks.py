"""A planned network in the report: every part of it, each number with its address, in all three forms."""

from __future__ import annotations

import math
import random
import re
import subprocess
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import docx
import pytest

from balm.actions.review import Review
from balm.actions.versions import release
from balm.report.document.networks import network_forest, networks_section
from balm.report.document.parts import Picture
from balm.report.document.whole import document
from balm.report.html_report.table import Table
from balm.report.network_walk import Places, network_walk
from balm.report.network_words import methods, ranking
from balm.report.review_report import build_report
from balm.review.living.update import living_flow
from balm.review.synthesis import synthesise
from tests.made_network import NETWORK, TRIANGLE, VERSIONS, network_files, network_package, write

ODD = 'Ω "x" <b>&</b>'


@pytest.fixture(scope="module")
def whole():
    return synthesise(network_package())


def flow(synthesis):
    return living_flow(synthesis.package, synthesis.pooled_studies)


def tables(section) -> dict[str, Table]:
    return {b.id.rpartition("-")[2]: b for s in section.walk() for b in s.blocks if isinstance(b, Table)}


def column(table: Table, title: str) -> dict[str, str]:
    place = [c.title for c in table.columns].index(title)
    return {row.cells[0].text: row.cells[place].text for row in table.rows}


def test_the_section_has_every_part_of_a_network(whole):
    section = networks_section(whole, {})
    found = tables(section)
    assert set(found) == {"direct", "model", "against", "league", "designs", "split", "contributions", "network"}
    studies = {"A against Placebo": "3", "A against B": "2", "B against Placebo": "2", "B against C": "1"}
    assert column(found["direct"], "Studies") == studies
    fit = whole.networks[0].fit
    shown = column(found["against"], "Odds ratio")
    assert shown["B"] == f"{math.exp(fit.compare('B').estimate):.2f}" == "2.94"
    assert column(found["against"], "P-score")["Placebo (reference)"] == "0.02"
    league = column(found["league"], "Placebo")
    assert league["B"] == "2.94 (1.86 to 4.66)" and league["Placebo"] == "–"
    assert column(found["league"], "B")["Placebo"] == "0.34 (0.21 to 0.54)"
    model = column(found["model"], "Value")
    design = fit.by_design()
    assert model["Q between designs, inconsistency"].startswith(f"{design.between.q:.2f} (df = {design.between.df})")
    assert len(found["network"].rows) == len(TRIANGLE) and "row 13" in [
        x.text for x in found["network"].rows[12].cells[4].links
    ]
    pictures = [b.id for s in section.walk() for b in s.blocks if isinstance(b, Picture)]
    assert pictures == ["network-relief-network-graph", "network-relief-network-forest"]
    assert "nor how certain the evidence is" in ranking(fit)


def test_split_and_contributions_are_those_of_the_engine(whole):
    found, fit = tables(networks_section(whole, {})), whole.networks[0].fit
    split = next(s for s in fit.split() if (s.treatment_1, s.treatment_2) == ("A", "Placebo"))
    assert column(found["split"], "Direct")["A against Placebo"] == f"{math.exp(split.direct):.2f}"
    assert column(found["split"], "Ratio of the two")["A against Placebo"] == f"{math.exp(split.difference):.2f}"
    back = next(s for s in fit.split() if (s.treatment_1, s.treatment_2) == ("A", "B"))
    assert column(found["split"], "Indirect")["B against A"] == f"{math.exp(-back.indirect):.2f}"  # better first
    row = next(r for r in found["contributions"].rows if r.cells[0].text.startswith("C against"))
    share = fit.contributions().of("C", "Placebo")
    assert row.cells[1].lines[0].text == f"B against C {100 * share['B:C']:.0f}%"


def test_every_link_of_the_page_leads_somewhere_and_back_to_a_quoted_row(whole):
    page = build_report(whole, flow(whole))
    ids = set(map(unescape, re.findall(r'\bid="([^"]+)"', page)))
    links = {unescape(h) for h in re.findall(r'href="#([^"]+)"', page)}
    assert {h for h in links if unquote(h) not in ids} == set()
    assert "at:relief-network:B--Placebo:estimate" in links and "at:relief-network:tau2" in links
    assert "at:relief-network:s5" in ids and "B: 23" in page and "PRISMA for network meta-analyses" in page
    assert "Krahn U, Binder H" in page and "<script" not in page


def test_what_stands_behind_a_number_is_the_estimate_and_the_share_of_each_study(whole):
    result = whole.networks[0]
    walk = network_walk(result, whole)
    one = next(v for v in walk.variants if v.title == "B against Placebo")
    exact = {q.address.rpartition(":")[2]: q.exact for q in one.quantities}
    c = result.fit.compare("B")
    assert exact["estimate"] == pytest.approx(math.exp(c.estimate)) and exact["p"] == c.p
    direct = next(s for s in result.fit.split() if (s.treatment_1, s.treatment_2) == ("B", "Placebo"))
    assert exact["direct"] == pytest.approx(math.exp(direct.direct))
    assert sum(float(s.weight.removesuffix("%")) for s in one.studies) == pytest.approx(100, abs=0.3)
    step = walk.step("s5")
    assert step.used == ("A 20/44", "B 23/45", "Placebo 12/46") and len(step.reported) == 3
    assert step.reported[1].quote == "B: 23" and step.effect.count("against") == 3


def test_names_that_look_alike_in_an_address_keep_their_own(whole):
    arms = [("s1", "A+", 5, 20), ("s1", "A-", 4, 20), ("s2", "A+", 6, 20), ("s2", ODD, 4, 20)]
    package = network_package(arms, networks=NETWORK.replace('"Placebo"', '"A-"'))
    synthesis = synthesise(package)
    keys = Places(synthesis.networks[0]).keys
    assert len(set(keys.values())) == 3
    page = build_report(synthesis, flow(synthesis))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids)) and ODD not in page


def test_parts_silence_and_emptiness_are_said():
    more = (("s7", "F", 3, 10), ("s7", "G", 1, 12), ("s8", "D", 0, 9), ("s8", "E", 0, 9))
    synthesis = synthesise(network_package((*TRIANGLE, *more)))
    made = document(synthesis, flow(synthesis))
    section = next(s for s in made.walk() if s.id == "networks")
    said = " ".join(r.text for s in section.walk() for b in s.blocks for r in getattr(b, "runs", ()))
    assert "falls into two parts that no study connects" in said and "Part 2: F, G." in said
    assert "Placebo is not among them; they are shown against" in said and "D and E are not in the network" in said
    methods_of = next(s for s in made.walk() if s.id == "deviations")
    assert any("not one network" in r.text for b in methods_of.blocks for i in getattr(b, "items", ()) for r in i)
    nothing = synthesise(network_package([("s1", "Placebo", 1, 9), ("s1", "A", 2, 9)],
                                         networks=NETWORK.replace('["w"]', '[]').replace('"relief"', '"relief"')
                                         + 'studies = ["s1"]\ndesigns = ["cluster"]\n'))  # fmt: skip
    section = networks_section(nothing, {})
    assert "nothing is compared" in section.sections[0].blocks[1].runs[0].text


def test_the_report_names_its_kind_and_abstract_the_result(whole):
    made = document(whole, flow(whole))
    assert made.kind == "Systematic review and network meta-analysis"
    said = {s.id: " ".join(r.text for b in s.blocks for r in getattr(b, "runs", ())) for s in made.walk()}
    assert said["abstract-synthesis"] == "One network meta-analysis was done with a random-effects model."
    assert "Relief, all drugs: Six studies with 688 people compare four treatments" in said["abstract-results"]
    for choice in ("REML", "Rücker 2012", "0.5 is added", "The reference is Placebo", "higher is better", "first time"):
        assert choice in methods(whole.networks[0])
    listed = next(s for s in made.walk() if s.id == "network-checklist").blocks[1]
    assert {row.cells[4].text for row in listed.rows} == {"reported"}


def test_on_paper_a_wide_league_table_is_a_list():
    arms = [a for i in range(7) for a in ((f"s{i}", f"Drug {i}", 5 + i, 40), (f"s{i}", "Placebo", 9, 40))]
    synthesis = synthesise(network_package(arms))
    wide = tables(networks_section(synthesis, {}))["league"]
    long = tables(networks_section(synthesis, {}, paper=True))["league"]
    assert len(wide.rows) == 8 and len(wide.columns) == 9 and len(long.rows) == 28 and len(long.columns) == 3
    place = [c.title for c in wide.columns].index("Drug 0")
    row = next(r for r in wide.rows if r.cells[0].text == "Drug 6")
    same = next(r for r in long.rows if [c.text for c in r.cells[:2]] == ["Drug 6", "Drug 0"])
    assert same.cells[2].text == row.cells[place].text and same.cells[2].href == row.cells[place].href


def test_many_treatments_keep_to_the_reference():
    draw = random.Random(3)
    names = [f"Drug {i}" for i in range(14)]
    arms = [
        a for i, n in enumerate(names) for a in ((f"s{i}", n, draw.randint(2, 20), 40), (f"s{i}", "Placebo", 9, 40))
    ]
    arms += [
        a for i in range(4) for a in ((f"t{i}", names[i], draw.randint(2, 20), 40), (f"t{i}", names[i + 4], 9, 40))
    ]
    synthesis = synthesise(network_package(arms))
    found = tables(networks_section(synthesis, {}))
    assert "league" not in found and len(found["against"].rows) == 15 and len(found["split"].rows) == 12
    assert len(network_walk(synthesis.networks[0], synthesis).variants) == 14 + 4


def test_the_forest_leads_behind_its_numbers_and_names_the_sides(whole):
    result = whole.networks[0]
    drawn = network_forest(result, result.parts[0], Places(result)).svg
    assert "#at:relief-network:B--Placebo" in drawn and "favours treatment" in drawn and "P-score" in drawn


def test_a_living_report_says_what_changed_since_the_last_version_in_all_three_forms(tmp_path: Path) -> None:
    review = Review.load(write(network_files(more={"versions.csv": VERSIONS}), tmp_path / "made"))
    page = review.report(tmp_path / "r.html").read_text()
    assert page.count('id="since-last"') == 1 and 'href="#since-last"' in page
    said = docx.Document(str(review.report(tmp_path / "r.docx")))
    word = "\n".join(p.text for p in said.paragraphs)
    pdf = subprocess.run(
        ["pdftotext", "-layout", review.report(tmp_path / "r.pdf"), "-"], capture_output=True, text=True
    )
    for text in (unescape(page), word, " ".join(pdf.stdout.split())):
        assert "What changed since First" in text and "new treatments: C" in text
        assert "the trial that moved it: S5 2020, by 0.026" in text and "Rows of the tables" not in text
    alone = Review.load(write(network_files(), tmp_path / "alone"))
    assert "What changed since" not in alone.report(tmp_path / "a.html").read_text()


def test_a_report_compares_with_what_was_released_and_marks_what_is_stale(tmp_path: Path) -> None:
    decided = [
        {"network": "relief-network", "treatment": "B", "against": "Placebo", "domain": "overall", "rating": "low",
         "assessor": "Ann", "time": "2025-01-02"},
    ]  # fmt: skip
    first = [arm for arm in TRIANGLE if arm[0] not in ("s5", "s6")]
    kept = {"versions.csv": VERSIONS[:1], "network_certainty.csv": decided}
    folder = write(network_files(first, more=kept), tmp_path / "made")
    release(folder, "1", by="Ann", on="2025-01-03")
    write(network_files(more=kept | {"versions.csv": VERSIONS}), folder)
    page = unescape(Review.load(folder).report(tmp_path / "r.html").read_text())
    assert "Compared with the release." in page
    stale = page[page.index("To judge again (stale)") :]
    assert "Relief, all drugs: B against Placebo (Ann, 2025-01-02): its data, its plan, its result" in stale
