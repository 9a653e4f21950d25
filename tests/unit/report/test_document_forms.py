"""The report as Word and PDF, checked by structure: headings, captions, cross-references, tables, vector figures."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import docx
import pytest
from pypdf import PdfReader

from balm.actions.report_out import check_report_target
from balm.actions.review import Review
from balm.report.document.citations import in_order_of_citation
from balm.report.document.long_tables import on_paper
from balm.report.document.look import JOURNALS, Look, look_of
from balm.report.document.parts import (
    Document,
    Listing,
    Paragraph,
    Picture,
    Reference,
    Run,
    Section,
    Verbatim,
    names,
    said,
    targets,
)
from balm.report.document.typeset import pdf
from balm.report.document.whole import document
from balm.report.document.word import word
from balm.report.html_report.table import Cell, Column, Link, Row, Table, columns
from balm.review.flow import Flow
from balm.vocabulary.problems import InputError

FOLDER = Path(__file__).resolve().parents[3] / "reviews" / "ketamine-chronic-pain"
W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@pytest.fixture(scope="module")
def review():
    return Review.load(FOLDER)


@pytest.fixture(scope="module")
def whole(review):
    return document(review.synthesise(), review.flow())


@pytest.fixture(scope="module")
def as_word(whole):
    return word(whole)


@pytest.fixture(scope="module")
def body(as_word):
    with zipfile.ZipFile(io.BytesIO(as_word)) as file:
        return ElementTree.fromstring(file.read("word/document.xml"))


def small(**more) -> Document:
    """A document with one part of each kind, and text that is markup elsewhere."""
    from balm.plots.flow import flow_diagram

    table = Table("t", "A <b> & #let x = \"y\" \\ table", columns("#Study", ">n"),
                  (Row((Cell("A & B <i>", links=(Link("ref. 1", "#s"),)), Cell("1")), id="row-a"),))  # fmt: skip
    blocks = (
        Paragraph((Run("See "), Run(ref="t"), Run(" and "), Run("row", href="#row-a"), Run(" $x$ #pagebreak() *a*."))),
        table,
        Picture("f", flow_diagram(Flow()), "A figure"),
        Verbatim('1. exp Pain/\n2. #1 and [tiab] \\ "x"'),
        said("Prompt?", kind="prompt"),
    )
    given = {"title": 'A "title" & <more> #1', "kind": "Systematic review", "lead": "", "facts": ()} | more
    given = {"sections": (Section("s", "One", blocks, (Section("s2", "Two"),)),)} | given
    return Document(**given)


def test_tables_and_figures_are_numbered_in_reading_order_and_every_link_has_a_target(whole):
    found = names(whole)
    numbers = [int(n.split()[1]) for n in found.values() if re.fullmatch(r"Table \d+", n)]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) > 20
    assert {"Figure 1", "Figure 2"} <= set(found.values())
    known = targets(whole)
    checklist = next(s for s in whole.sections if s.id == "checklist")
    links = [link.href[1:] for row in checklist.blocks[1].rows for link in row.cells[3].links]
    assert len(links) > 30 and set(links) <= known


def test_the_checklist_of_the_bundled_review_misses_nothing(whole):
    for name in ("checklist", "abstract-checklist"):
        table = next(s for s in whole.sections if s.id == name).blocks[1]
        assert [row.cells[0].text for row in table.rows if row.cells[4].text == "not reported"] == []
        silent = [row.cells[0].text for row in table.rows if row.cells[4].text == "nothing on record"]
        assert silent == (["6", "7"] if name == "checklist" else ["4"])  # it ran no search


def test_word_has_real_headings_and_one_native_table_for_each_table(whole, as_word):
    file = docx.Document(io.BytesIO(as_word))
    headings = [p for p in file.paragraphs if p.style.name.startswith("Heading")]
    assert [p.text.replace("\u00a0", " ") for p in headings] == [s.title for s in whole.walk()]
    tables = [b for s in whole.walk() for b in s.blocks if isinstance(b, Table)]
    assert len(file.tables) == len(tables)
    assert [len(t.rows) for t in file.tables] == [len(t.rows) + 1 + sum(bool(r.under) for r in t.rows) for t in tables]
    assert file.core_properties.title == whole.title


def test_references_stand_in_one_list_numbered_in_the_order_of_citation(whole):
    """Works on methods had stood without numbers after the numbered reports."""
    listed = next(s for s in whole.sections if s.id == "references")
    assert not listed.sections and len(listed.blocks) == 1
    ids = [item.id for item in listed.blocks[0].items]
    assert len(ids) == len(set(ids)) and sum(id.startswith("ref-work-") for id in ids) == 9
    seen: list[int] = []
    for section in whole.walk():
        for block in section.blocks:
            runs = block.runs if isinstance(block, Paragraph) else ()
            for run in runs:
                if run.href.startswith("#ref-"):
                    assert ids[int(run.text) - 1] == run.href[1:]
                    seen.append(int(run.text))
            for row in block.rows if isinstance(block, Table) else ():
                for cell in row.cells:
                    for text, href in [(cell.text, ""), *((link.text, link.href) for link in cell.links)]:
                        if found := re.fullmatch(r"ref\. (\d+)", text):
                            assert not href or ids[int(found[1]) - 1] == href[1:]
                            seen.append(int(found[1]))
    first = list(dict.fromkeys(seen))
    assert first == list(range(1, len(first) + 1)) and len(first) > 50
    words = " ".join(run.text for s in whole.walk() for b in s.blocks if isinstance(b, Paragraph) for run in b.runs)
    assert not re.search(r"[(\[](Viechtbauer|Hartung|Cochrane Handbook)", words)


def test_a_work_is_cited_by_number_and_what_is_in_no_list_by_name():
    text = Paragraph(
        (Run("Pooled (Viechtbauer 2005; Nobody 1900) with 95% (CI) [Cochrane Handbook, section 6.4.1].", bold=True),)
    )
    cites = Table("t", "", (Column("Source"),), (Row((Cell(links=(Link("ref. 2", "#ref-b"),)),)),))
    reports = [Reference("ref-a", "A.", (), True), Reference("ref-b", "B.", (), True)]
    made = in_order_of_citation([Section("s", "S", (text, cites)), Section("references", "References")], reports)
    assert "".join(r.text for r in made[0].blocks[0].runs) == (
        "Pooled [1, Nobody 1900] with 95% (CI) [2, section 6.4.1]."
    )
    assert made[0].blocks[1].rows[0].cells[0].links == (Link("ref. 3", "#ref-b"),)
    assert [item.text[:8] for item in made[1].blocks[0].items] == ["Viechtba", "Higgins ", "B.", "A."]
    assert in_order_of_citation([Section("references", "R")], [])[0].blocks == ()


def test_long_texts_of_wide_tables_stand_below_their_rows_and_formulas_once(whole, as_word):
    tables = {b.caption: b for s in whole.walk() for b in s.blocks if isinstance(b, Table)}
    of_studies = tables["Characteristics of the studies in the review"]
    assert "Findings as reported" not in [c.title for c in of_studies.columns]
    below = [row.under for row in of_studies.rows if row.under]
    assert len(below) == sum(not row.group for row in of_studies.rows)
    assert {title for under in below for title, _ in under} == {"Findings as reported:"}
    rows = tables["Rows behind the result: Pain intensity, 1 to 4 weeks"]
    assert rows.note.count("mean and SD of a linear function") == 1
    assert all("k(mean" not in text for row in rows.rows for _, text in row.under)
    notes = dict(rows.rows[0].under)["Notes:"]
    assert ". ;" not in notes and notes.endswith(".")
    published = tables["Published pooled results, recomputed"]
    agree = [c.title for c in published.columns].index("Do they agree?")
    refused = [row for row in published.rows if row.cells[agree].text == "no"]
    assert refused and all(len(row.cells[agree].plain) <= 60 for row in published.rows)
    assert dict(refused[0].under)["Do they agree?"].startswith("the interval excludes no effect")
    file = docx.Document(io.BytesIO(as_word))
    word = next(t for t in file.tables if t.rows[1].cells[0].text == "Controlled trials (21)")
    assert word.rows[3].cells[0].text.startswith("Findings as reported: Lowest pain at end of week 1")
    assert len(set(word.rows[3]._tr.tc_lst)) == 1


def test_word_captions_carry_seq_fields_and_cross_references_lead_to_bookmarks(whole, body):
    fields = [e.get(f"{W}instr").split() for e in body.iter(f"{W}fldSimple")]
    kinds = [f[1] for f in fields if f[0] == "SEQ"]
    assert kinds.count("Figure") == sum(isinstance(b, Picture) for s in whole.walk() for b in s.blocks)
    assert kinds.count("Table") == sum(isinstance(b, Table) for s in whole.walk() for b in s.blocks)
    marks = [e.get(f"{W}name") for e in body.iter(f"{W}bookmarkStart")]
    assert len(marks) == len(set(marks)) and all(re.fullmatch(r"[A-Za-z]\w{0,39}", mark) for mark in marks)
    led = {e.get(f"{W}anchor") for e in body.iter(f"{W}hyperlink")} - {None}
    assert led and led <= set(marks)


def test_word_keeps_each_figure_as_svg_with_a_png_beside_it(whole, as_word, body):
    pictures = sum(isinstance(b, Picture) for s in whole.walk() for b in s.blocks)
    with zipfile.ZipFile(io.BytesIO(as_word)) as file:
        relations = file.read("word/_rels/document.xml.rels").decode()
        svgs = [n for n in file.namelist() if n.endswith(".svg")]
        assert len(svgs) == pictures and all(file.read(n).startswith(b"<svg") for n in svgs)
        assert (
            'Extension="svg"' in file.read("[Content_Types].xml").decode()
            or "image/svg+xml" in file.read("[Content_Types].xml").decode()
        )
    blips = list(body.iter("{http://schemas.microsoft.com/office/drawing/2016/SVG/main}svgBlip"))
    assert len(blips) == pictures
    for blip in blips:
        name = blip.get("{http://schemas.openxmlformats.org/officeDocument/2006/relationships}embed")
        assert re.search(rf'Id="{name}"', relations)
    described = [e.get("descr") for e in body.iter() if e.tag.endswith("}docPr")]
    assert all(described)


def test_text_is_never_markup_in_word():
    file = docx.Document(io.BytesIO(word(small())))
    text = "\n".join(p.text for p in file.paragraphs)
    assert "$x$ #pagebreak() *a*." in text and "A <b> & #let" in text
    assert "To be written: Prompt?" in text
    assert file.tables[0].cell(1, 0).text.startswith("A & B <i>")


def test_text_is_never_markup_in_a_pdf_which_is_tagged_and_titled():
    reader = PdfReader(io.BytesIO(pdf(small())))
    text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
    assert "$x$ #pagebreak() *a*" in text and "A <b> & #let" in text and "Table 1" in text
    assert reader.metadata.title == 'A "title" & <more> #1'
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"] and reader.trailer["/Root"]["/Lang"] == "en"


def test_no_reader_is_told_that_tags_are_suspect_which_is_so_without_saying():
    reader = PdfReader(io.BytesIO(pdf(small())))
    assert dict(reader.trailer["/Root"]["/MarkInfo"]) == {"/Marked": True}
    assert reader.trailer["/Root"]["/StructTreeRoot"]["/K"]


def test_the_pdf_of_the_bundled_review_has_its_sections_as_bookmarks(whole):
    reader = PdfReader(io.BytesIO(pdf(whole)))
    bookmarks = {entry.title for entry in reader.outline if not isinstance(entry, list)}
    assert [s.title for s in whole.sections if s.title not in bookmarks] == []
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]


def test_an_empty_review_still_makes_both_forms(review):
    from balm.review.synthesis import synthesise

    package = review.package
    none = {f.name: () for f in dataclasses.fields(package) if f.name not in ("folder", "meta", "present")}
    empty = dataclasses.replace(package, **none, meta=dataclasses.replace(package.meta, analyses=()))
    made = document(synthesise(empty), Flow())
    assert word(made)[:2] == b"PK" and pdf(made)[:5] == b"%PDF-"


def test_figures_fit_the_width_a_journal_asks_for(whole):
    figures = [b.figure for s in whole.walk() for b in s.blocks if isinstance(b, Picture)]
    for width in (85.0, 170.0):
        sizes = [Look(figure_width=width).size(f) for f in figures]
        assert max(w for w, _ in sizes) <= width + 1e-9 and max(h for _, h in sizes) <= 225 + 1e-9
        ratios = [w / h - f.width / f.height for (w, h), f in zip(sizes, figures, strict=True)]
        assert max(abs(r) for r in ratios) < 1e-9


@pytest.mark.parametrize(
    ("options", "message"),
    [({"figure_width": 20}, "figure_width must be between 40 and 170 mm; got 20"),
     ({"font_size": 40}, "font_size must be between 6 and 16 points; got 40"),
     ({"font": "comic"}, "font must be one of")],
)  # fmt: skip
def test_sizes_out_of_range_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Look(**options)


def test_letters_that_no_font_has_stop_no_report(monkeypatch):
    """A name in Chinese comes from the machine's fonts, and without them as numbers, which the title page explains."""
    from balm.report.document import typeset

    made = dataclasses.replace(small(), title="痛 relief\u200b, \uf0b7 noted")
    tried = []
    real = typeset._set

    def without_fonts(files, *, system_fonts):
        tried.append(system_fonts)
        return real(files, system_fonts=False)

    monkeypatch.setattr(typeset, "_set", without_fonts)
    first = PdfReader(io.BytesIO(pdf(made))).pages[0].extract_text()
    assert tried == [False, True, True]
    assert "[U+75DB] relief\u200b, [U+F0B7] noted" in first and "number in Unicode" in first


def test_a_table_and_its_caption_stand_on_one_page():
    """Wherever the page ends before it: a head of many lines does not fit under the caption."""
    table = Table("t", "Said above", columns("#" + "Head " * 350, ">n"), (Row((Cell("Cell"), Cell("1"))),))
    parts = tuple(Section(f"s{i}", "Part", (*(said("A line."),) * (9 - i), table)) for i in range(9))
    pages = [page.extract_text().replace("\xa0", " ") for page in PdfReader(io.BytesIO(
        pdf(Document("T", "K", "", (), parts)))).pages]  # fmt: skip
    captions = [page.count("Said above") for page in pages]
    assert sum(captions) == len(parts) and len(pages) > 4
    assert all("Head" in page.rpartition("Said above")[2] for page, n in zip(pages, captions, strict=True) if n)


def test_no_figure_is_taller_or_wider_than_its_journal_prints(whole):
    """Nature: at most 170 mm high; PLOS: at most 222.3 mm high and 66.8 to 190.5 mm wide."""
    figures = [block.figure for section in whole.walk() for block in section.blocks if isinstance(block, Picture)]
    tallest = {name: max(look_of(name).size(figure)[1] for figure in figures) for name in ("nature", "plos")}
    assert tallest["nature"] == pytest.approx(170.0) and tallest["plos"] <= 222.3 + 1e-9
    assert max(look_of("plos").size(figure)[0] for figure in figures) <= 190.5
    with pytest.raises(InputError, match="figure_height must be between 40 and 225 mm; got 300"):
        Look(figure_height=300)


def test_a_journal_names_width_and_font_and_what_is_given_changes_it():
    assert look_of("lancet") == Look(figure_width=154.0, font="serif")
    assert look_of("lancet", figure_width=75, font="sans") == Look(figure_width=75)
    assert all(source for _, source in JOURNALS.values()), "each says where its figures were read"
    assert all(look != Look() for look, _ in JOURNALS.values()), "a name that changes nothing promises too much"
    with pytest.raises(InputError, match="journal must be one of"):
        look_of("bmj")


def test_the_font_is_that_of_the_look():
    styles = docx.Document(io.BytesIO(word(small(), Look(font="serif")))).styles
    assert {styles[name].font.name for name in ("Normal", "Title", "Heading 1")} == {"Times New Roman"}
    fonts = {f for page in PdfReader(io.BytesIO(pdf(small(), Look(font="serif")))).pages
             for f in (r.get_object()["/BaseFont"] for r in page["/Resources"]["/Font"].values())}  # fmt: skip
    assert any("Libertinus" in f for f in fonts)


def test_results_stand_under_one_heading_in_the_order_of_prisma(whole):
    [results] = [s for s in whole.sections if s.id == "findings"]
    assert results.title == "Results"
    assert [s.id for s in results.sections][:6] == [
        "flow", "excluded", "studies", "risk-of-bias", "results", "certainty-section",
    ]  # fmt: skip


def test_a_target_is_checked_before_anything_is_computed(tmp_path):
    with pytest.raises(InputError, match=r"must end in one of \['\.html', '\.docx', '\.pdf'\]"):
        check_report_target(tmp_path / "report.odt")
    with pytest.raises(InputError, match=r"font_size belongs to \.docx and \.pdf"):
        check_report_target(tmp_path / "report.html", font_size=9)


def test_the_file_is_written_by_its_ending(review, tmp_path):
    review.report(tmp_path / "r.docx", figure_width=85, font_size=9)
    assert (tmp_path / "r.docx").read_bytes()[:2] == b"PK"
    assert [p.name for p in tmp_path.iterdir()] == ["r.docx"]


def test_cells_of_a_page_are_escaped_and_keep_their_parts():
    from balm.report.html_report.table import Line
    from balm.report.html_report.table_html import body

    heads = columns("#A", ">B")
    row = Row((Cell("<x>/y", mark="m"), Cell("1", links=(Link("a.b", "#'"),), lines=(Line("l", "more"),))), id='i"')
    html = body(Table("t", "T", heads, (row, Row((Cell("G"), Cell()), group="G & H")), cards=True))
    assert html.startswith('<tr id="i&#34;" role="row"><th scope="row" role="rowheader">&lt;x&gt;/<wbr>y <span')
    assert '<a href="#&#39;">a.<wbr>b</a>' in html and "<details><summary>Formula</summary>more</details>" in html
    assert 'colspan="2" role="columnheader">G &amp; H</th>' in html


def test_rows_that_stand_on_one_line_are_as_high_as_typst_would_make_them():
    """A row of known height is set beside rows of their own height: no text moves."""
    from balm.report.document import typeset

    words = ("Author 2020: Drug", "3/12", "x" * 6, "A longer cell that has to be broken into lines here. " * 5)
    rows = tuple(Row((Cell(word), Cell("12"), Cell("p ≤ 0.05; a–b"))) for word in words * 3)
    table = Table("t", "A table", columns("#Study", ">n", "Test"), rows)
    made = small()
    made = dataclasses.replace(made, sections=(Section("s", "One", (table,)),))
    source = typeset._Writer(made, Look()).source()
    assert re.search(r"rows: \(auto,\) \* 1 \+ \(11\.1599pt,\) \* 3 \+ \(auto,\) \* 1", source)
    places = []
    for look in (Look(), Look(font="serif")):
        assert ("11.1599pt" in typeset._Writer(made, look).source()) == (look.font == "sans")
    for height in ("11.1599pt", "auto"):
        found: list[tuple[str, float, float]] = []
        data = typeset.compiled({"main.typ": source.replace("11.1599pt", height).encode()})
        for page in PdfReader(io.BytesIO(data)).pages:
            page.extract_text(visitor_text=lambda text, cm, tm, *_, f=found: f.append((text, cm[4], cm[5] + tm[5])))
        places.append(found)
    assert len(places[0]) > 20
    assert [(t, round(x, 2), round(y, 2)) for t, x, y in places[0]] == [
        (t, round(x, 2), round(y, 2)) for t, x, y in places[1]
    ]


def test_the_appendix_of_numbers_begins_a_page(whole):
    from balm.report.document import typeset

    source = typeset._Writer(whole, Look()).source()
    assert source.count('#pagebreak(weak: true)\n#heading(level: 1, "Appendix: numbers as reported")') == 1
    assert source.count('#pagebreak(weak: true)\n#heading(level: 1, "PRISMA 2020 checklist")') == 1
    assert source.count("#pagebreak") == 4  # after the title and after the contents as well


def wide(narrow: bool = False, note: str = "") -> Document:
    """A table with numbers below zero, its note, and a list under the words that lead to it."""
    heads = columns("#Study", ">Estimate", ">Low", ">High", ">P")
    row = Row((Cell("A 2020"), Cell("-1.05"), Cell("-1.72"), Cell("-0.39"), Cell("< 0.001")))
    table = on_paper(Table("t", "Results", heads, (row, row), note=note, narrow=narrow))
    blocks = (said("In plain language:"), Listing(((Run("One."),),)), table, said("Last."))
    return small(sections=(Section("s", "One", blocks), Section("checklist", "A checklist", (said("Items."),))))


def test_paper_prints_an_estimate_with_its_interval_minus_signs_and_no_broken_p():
    """As journals do, in both forms; a page keeps three columns of numbers that a spreadsheet reads."""
    said_so = "−1.05 (−1.72 to −0.39)"
    text = PdfReader(io.BytesIO(pdf(wide()))).pages[2].extract_text()
    assert said_so in text.replace("\xa0", " ") and "<\xa00.001" in text and "-1" not in text
    file = docx.Document(io.BytesIO(word(wide())))
    assert [cell.text for cell in file.tables[0].rows[1].cells] == ["A 2020", said_so, "<\xa00.001"]


def test_word_numbers_its_pages_and_keeps_together_what_belongs_together():
    file = docx.Document(io.BytesIO(word(wide(narrow=True, note="A note."))))
    assert "PAGE" in file.sections[0].footer.paragraphs[0]._p.xml
    by_text = {p.text: p for p in file.paragraphs}
    assert by_text["In plain language:"].paragraph_format.keep_with_next
    assert by_text["A note."].style.name == "TableNote"
    headings = {p.text: p for p in file.paragraphs if p.style.name.startswith("Heading")}
    assert headings["A checklist"].paragraph_format.page_break_before
    rows = file.tables[0].rows
    assert all(row.cells[0].paragraphs[0].paragraph_format.keep_with_next for row in rows)
    loose = docx.Document(io.BytesIO(word(wide()))).tables[0].rows
    assert [bool(r.cells[0].paragraphs[0].paragraph_format.keep_with_next) for r in loose] == [True, False, False]


def test_no_row_breaks_over_two_pages_unless_it_is_taller_than_half_of_one():
    heads = columns("#Study", "+Words")
    for words, broken in (("Some words that make lines here. " * 40, False), ("Longer than a page. " * 420, True)):
        rows = tuple(Row((Cell(f"first{i}"), Cell(f"{words}last{i}"))) for i in range(4))
        made = small(sections=(Section("s", "One", (Table("t", "Long", heads, rows),)),))
        pages = [page.extract_text() for page in PdfReader(io.BytesIO(pdf(made))).pages]
        apart = [i for i in range(4) if not any(f"first{i}" in page and f"last{i}" in page for page in pages)]
        assert bool(apart) is broken and all(any(f"last{i}" in page for page in pages) for i in range(4))
