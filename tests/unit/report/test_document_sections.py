"""The sections that every form of the report shares: complete, leading to each other, grammatical at the edges."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import replace
from pathlib import Path

import pytest

from balm.actions.review import Review
from balm.report.document.abstract import abstract, bias_assessed, included
from balm.report.document.appendices import discussion, excluded, searches
from balm.report.document.checklist import checklists
from balm.report.document.checklist_items import ABSTRACT, MAIN
from balm.report.document.content import bias_words, counted, funnel_words
from balm.report.document.long_tables import few_links, interval_in_one
from balm.report.document.methods import deviations, methods_section
from balm.report.document.parts import Document, Listing, Paragraph, Run, Section, said, targets
from balm.report.html_report import study_tables
from balm.report.html_report.study_tables import outside
from balm.report.html_report.table import LONG, Cell, Link, Row, Table, columns, told_once
from balm.report.methods_text import method_parts
from balm.vocabulary.evidence import Arm, Search, Vote

FOLDER = Path(__file__).resolve().parents[3] / "reviews" / "ketamine-chronic-pain"


@pytest.fixture(scope="module")
def synthesis():
    return Review.load(FOLDER).synthesise()


def bare(synthesis, **changes):
    """The review without rows, analyses or anything else but its plan; ``changes`` to the package."""
    none = {
        f.name: () for f in dataclasses.fields(synthesis.package) if f.name not in ("folder", "meta", "present")
    } | changes
    return dataclasses.replace(
        synthesis,
        package=dataclasses.replace(synthesis.package, **none),
        analyses=(),
        published=(),
        claims=(),
        gaps=(),
        not_verified=(),
    )


def texts(section: Section) -> list[str]:
    """Every paragraph and list item of a section and those below it."""
    found = []
    for part in section.walk():
        for block in part.blocks:
            if isinstance(block, Paragraph):
                found.append("".join(run.text for run in block.runs))
            elif isinstance(block, Listing):
                found += ["".join(run.text for run in item) for item in block.items]
    return found


def test_the_checklists_have_the_items_of_the_statement():
    numbers = [item.number for item in MAIN]
    assert len(MAIN) == 42 and len(set(numbers)) == 42
    assert {re.match(r"\d+", n)[0] for n in numbers} == {str(i) for i in range(1, 28)}
    parts = {n: sum(other.startswith(n) and other[len(n) :].isalpha() for other in numbers) for n in ("10", "13", "16")}
    assert parts == {"10": 2, "13": 6, "16": 2}
    assert [item.number for item in ABSTRACT] == [str(i) for i in range(1, 13)]


def test_an_item_says_where_it_is_or_that_it_is_not_there():
    filled, _ = checklists([Section("flow", "Flow", (said("x"),)), Section("support", "Support", open=True)])
    table = filled.blocks[1]
    rows = {row.cells[0].text: row.cells for row in table.rows}
    assert rows["1"][4].text == "reported"
    assert rows["16a"][3].links[0].href == "#flow" and rows["16a"][4].text == "reported"
    assert rows["25"][4].text == "to be written"
    assert rows["17"][4].text == "not reported"


def test_the_abstract_has_its_points(synthesis):
    ids = [section.id for section in abstract(synthesis).sections]
    wanted = [name for item in ABSTRACT[1:] for name in item.where]
    assert ids == wanted


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_sentences_are_grammatical_with_no_data_one_study_and_two(synthesis, kept):
    trials = tuple(s for s in synthesis.package.studies if s.scope == "included")[:kept]
    few = bare(synthesis, studies=trials)
    sections = [abstract(few), discussion(few), searches(few.package), excluded(few.package, outside(few.package, {}))]
    sections.append(methods_section(few, said("Done."), funnel_words([]), "Not rated."))
    every = [text for section in sections for text in texts(section)]
    every += [included(few.package), bias_words(few.package), *deviations(few)]
    assert every
    for text in every:
        assert re.match(r"[A-Z(].*[.?!:]$", text.strip()), text
        assert not re.search(r"\.\.|  |\bnan\b|\bNone\b|\b(one|1) \w+s (was|were)\b|\bno \w+ was\b| ,|\(\)", text), text
        assert not re.search(
            r"\bany of the (one|1)\b|\bone analysis was planned. None|these analyses: [^;]*$", text, re.I
        ), text
        assert not re.search(r"\b(one|1) (controlled trials|studies|records|people|analyses|outcomes)\b", text), text


def test_trials_of_sensitivity_analyses_are_named_where_they_are_counted(synthesis):
    """One text says 21 trials of the review and 22 asked for bias: it says where the other one comes from."""
    told = bias_assessed(synthesis.package)
    assert told.endswith("in 1 of 22 controlled trials (one of them used in sensitivity analyses only).")
    assert "1 of 22 controlled trials (one of them used in sensitivity analyses only): " in bias_words(
        synthesis.package
    )
    own = [s for s in synthesis.package.studies if s.scope == "included"]
    extra = next(s for s in synthesis.package.studies if s.scope == "sensitivity")
    assert [counted(own[:1]), counted([*own[:1], extra]), counted([extra])] == [
        "one controlled trial",
        "two controlled trials (one of them used in sensitivity analyses only)",
        "one controlled trial (used in sensitivity analyses only)",
    ]


def test_a_search_is_given_in_full_and_an_unknown_count_is_said(synthesis):
    one = Search(
        "s1", "database", "MEDLINE", "Ovid", "2026-01-02", "1. exp Ketamine/\n2. pain.ti.", None, None, None, None
    )
    section = searches(bare(synthesis, searches=(one,)).package)
    table = next(block for block in section.blocks if isinstance(block, Table))
    assert "not known" in [cell.text for cell in table.rows[0].cells]
    assert any(getattr(block, "text", "") == one.strategy for block in section.blocks)
    assert "MEDLINE through Ovid, 2026-01-02." in texts(section)


def test_excluded_full_texts_carry_their_reasons_and_adjudication_decides(synthesis):
    def vote(record, decision, kind="vote", reason=None, reviewer="A"):
        return Vote(record, "full-text", reviewer, decision, kind, reason, None)

    votes = (
        vote("r1", "exclude", reason="wrong route"),
        vote("r2", "exclude", reason="wrong design"),
        vote("r2", "include", reviewer="B"),
        vote("r2", "include", kind="adjudication", reviewer="C"),
        vote("r3", "include"),
    )
    package = bare(synthesis, screening=votes).package
    section = excluded(package, outside(package, {}))
    rows = [[cell.text for cell in row.cells] for row in section.blocks[0].rows]
    assert rows == [["r1", "not reported", "wrong route"]]


def test_fewer_people_than_planned_is_a_deviation(synthesis):
    votes = (Vote("r1", "title-abstract", "A", "exclude", "vote", None, None),)
    found = deviations(bare(synthesis, screening=votes))
    assert "One record was judged by fewer people than the two people planned for titles and abstracts." in found


def test_on_paper_a_long_table_says_once_what_every_row_says():
    rows = tuple(
        Row((Cell(f"results.csv, {i}"), Cell("Pain"), Cell("8/12" if i else "9/12"), Cell("50", href="#at:pain:weight"),
             Cell(links=(Link("ref. 1", "#ref-a"),)), Cell()), id=f"result-{i}")
        for i in range(LONG)
    )  # fmt: skip
    whole = Table(
        "t", "Numbers", columns("#Row", "Outcome", "Value", ">Weight", "@Source", "+Notes"), rows, note="As read."
    )
    short = told_once(whole)
    assert [c.title for c in short.columns] == ["Row", "Value", "Weight", "Source"]
    assert short.note == "As read. The same in every row: outcome: Pain." and short.rows[0].id == "result-0"
    assert [r.cells for r in short.rows] == [(r.cells[0], r.cells[2], r.cells[3], r.cells[4]) for r in rows]
    assert told_once(replace(whole, rows=rows[1:])) == replace(whole, rows=rows[1:]), "a short table stays as it is"
    other = (
        *rows[:-1],
        replace(rows[-1], cells=(rows[-1].cells[0], Cell("Pain", mark="not verified"), *rows[-1].cells[2:])),
    )
    assert "Outcome" in [c.title for c in told_once(replace(whole, rows=other)).columns]


def test_on_paper_each_row_of_a_long_table_leads_on_once():
    """From the row of a study to its values as reported, from there to the reference: no step is lost."""
    source = Cell(
        links=(Link("ref. 1", "#ref-a"), Link("DOI", "https://doi.org/10.1/x"), Link("a.org", "https://a.org"))
    )
    places = Cell(links=(Link("row 3", "#result-3"), Link("row 4", "#result-4")))
    effect = (Cell("0.65"), Cell("0.43"), Cell("0.99"))
    behind = tuple(Row((Cell(f"A {i}", href=f"#study-{i}"), *effect, places, source)) for i in range(LONG))
    whole = Table("rows", "", columns("#Study", ">Effect", ">Low", ">High", "Rows", "@Source"), behind)
    row = interval_in_one(few_links(whole)).rows[0]
    assert [cell.plain for cell in row.cells] == ["A 0", "0.65 (0.43 to 0.99)", "row 3; row 4", "ref. 1"]
    assert [(cell.href, [link.href for link in cell.links]) for cell in row.cells[::2]] == [
        ("", []),
        ("", ["#result-3"]),
    ]
    short = replace(whole, rows=behind[1:])
    assert few_links(short) == short, "a short table keeps its links"
    assert [c.title for c in interval_in_one(short).columns] == ["Study", "Effect (interval)", "Rows", "Source"]

    values = tuple(Row((Cell("8/12"), source), id=f"result-{i}") for i in range(LONG))
    first, second, *_ = few_links(Table("data", "", columns("#Value", "@Source"), values)).rows
    assert [link.href for link in first.cells[1].links] == ["#ref-a", "https://a.org"]
    assert second.cells[1].plain == "ref. 1 ; a.org" and [x.href for x in second.cells[1].links] == ["https://a.org"]


def test_only_rows_that_a_link_leads_to_are_marked():
    rows = tuple(Row((Cell("8/12"),), id=f"result-{i}") for i in range(3))
    table = Table("data", "", columns("#Value"), rows)
    leads = Paragraph((Run("row 2", href="#result-2"), Run("Section", ref="s")))
    made = Document("T", "K", "", (), (Section("s", "S", (leads, table)),))
    assert targets(made) == {"s", "data", "result-2"}


def test_what_all_analyses_share_is_told_once(synthesis):
    section = methods_section(synthesis, said("Done."), funnel_words([]), "Not rated.")
    told = next(s for s in section.walk() if s.title == "Effect measures and synthesis")
    heads = [(block.runs[0].text, block.runs[1].text) for block in told.blocks]
    assert heads[-1][0] == "All analyses." and len(heads) == 5
    assert sum(text.count("Effects were pooled by") for _, text in heads) == 1
    assert all("The effect measure is" in text and "degree" in text for _, text in heads[:-1])
    whole = " ".join(text for _, text in heads)
    for result in synthesis.analyses:
        assert result.fit is None or all(part in whole for part in method_parts(result.fit))
    one = dataclasses.replace(synthesis, analyses=tuple(a for a in synthesis.analyses if a.fit is not None)[:1])
    section = methods_section(one, said("Done."), funnel_words([]), "Not rated.")
    told = next(s for s in section.walk() if s.title == "Effect measures and synthesis")
    assert len(told.blocks) == 1 and "Effects were pooled by" in told.blocks[0].runs[1].text


def test_the_abstract_names_the_method_once_and_not_with_each_result(synthesis):
    said = {s.title: texts(s)[0] for s in abstract(synthesis).sections if not s.open}
    assert (
        "random-effects models (inverse variance, REML, guarded Hartung-Knapp interval)."
        in said["Synthesis of results"]
    )
    assert "REML" not in said["Results of syntheses"]
    assert "risk ratio was 3.97 (95% CI 1.29 to 12.23; P = 0.030)." in said["Results of syntheses"]


def test_what_no_study_reports_is_said_once_and_no_word_of_another_subject_stands_in_a_review(synthesis):
    """A review of exercise has no doses, and no sentence on ketamine."""
    package = synthesis.package
    kept = ("study", "arm", "label", "role", "n", "verified", "row")
    none = {f.name: None for f in dataclasses.fields(Arm) if f.name not in kept}
    plain_arms = tuple(replace(a, **none) for a in package.arms)
    table = study_tables.regimens(replace(package, arms=plain_arms))
    assert [c.title for c in table.columns] == ["Study and arm", "People"]
    assert "ketamine" not in table.note and "dose" in table.note and table.note.startswith("Reported for none: ")
    assert "ketamine" in study_tables.regimens(package).note


def test_country_funding_and_interests_stand_in_the_report_where_a_study_gives_them(synthesis):
    package = synthesis.package
    assert not study_tables.settings(package).rows
    first, *others = package.studies
    told = replace(first, country="Norway", funding="Acme", participants="48 women", washout="7 days", periods=2)
    table = study_tables.settings(replace(package, studies=(told, *others)))
    assert [c.title for c in table.columns] == ["Study", "Country", "Funding"]
    assert [c.text for c in table.rows[0].cells] == [first.label, "Norway", "Acme"]
    assert table.note == "Reported for none: setting; interests."
    row = study_tables.characteristics(replace(package, studies=(told, *others)), {}).rows[1]
    texts = [c.text for c in row.cells]
    assert any(t.endswith("2 periods; washout 7 days") for t in texts) and any("48 women" in t for t in texts)


def test_page_and_words_of_a_comparison_stand_beside_it(synthesis):
    package = synthesis.package
    read = replace(package.contrasts[0], page="p 4", quote="P = .07", extracted_by="Ana", extracted="2026-03-01")
    said = study_tables.contrasts(replace(package, contrasts=(read,)), {}).rows[0].cells[4].text
    assert said.endswith("p 4: “P = .07”. Extracted by Ana, 2026-03-01.")


def test_the_abstract_gives_the_outcomes_of_the_summary_of_findings_with_their_certainty(synthesis):
    """Pooled results first had put a mixture of time windows before every outcome, and left out harm."""
    said = next(texts(s)[0] for s in abstract(synthesis).sections if s.id == "abstract-results")
    titles = ["Pain intensity, up to 1 week", "Pain intensity, 1 to 4 weeks", "immediate: risk ratio", "over 4 weeks",
              "Psychotomimetic effects", "Any adverse event"]  # fmt: skip
    assert [said.index(title) for title in titles] == sorted(said.index(title) for title in titles)
    assert said.count("Certainty: very low.") == 6 and "time windows mixed" not in said
    unrated = replace(synthesis, package=replace(synthesis.package, certainty=()))
    said = next(texts(s)[0] for s in abstract(unrated).sections if s.id == "abstract-results")
    assert said.startswith("Pain intensity, the two trials") and "Certainty" not in said


def test_what_the_plan_does_not_say_is_no_empty_table(synthesis):
    from balm.report.document.content import eligibility
    from balm.report.document.whole import document
    from balm.review.flow import Flow

    meta = replace(synthesis.package.meta, eligibility=())
    assert "".join(r.text for r in eligibility(replace(synthesis.package, meta=meta)).runs) == (
        "No eligibility criterion is named in the plan."
    )
    arms = tuple(Arm(study=a.study, arm=a.arm, label=a.label, role=a.role, **dict.fromkeys(
        [f.name for f in dataclasses.fields(Arm) if f.name not in ("study", "arm", "label", "role")]
    )) for a in synthesis.package.arms)  # fmt: skip
    bare_arms = replace(synthesis, package=replace(synthesis.package, arms=arms), analyses=())
    captions = [b.caption for s in document(bare_arms, Flow()).walk() for b in s.blocks if isinstance(b, Table)]
    assert "Characteristics of the studies in the review" in captions and "Arms and regimens" not in captions
