"""Figures drawn into a PDF that typst has set: each at its place holder; a file made otherwise is refused."""

from __future__ import annotations

import io

import pytest
from pypdf import PdfReader

from balm.plots.figure import Figure
from balm.plots.pdf_figures import Figures, NotFound
from balm.plots.svg import Drawing
from balm.report.document import typeset
from balm.report.document.parts import Document, Picture, Section


def figure(words: str, width: float = 80.0) -> Figure:
    drawing = Drawing(width, 40.0, title=words, description=words)
    drawing.text(10.0, 20.0, words)
    drawing.text(10.0, 35.0, "bold", bold=True)
    return Figure(drawing, width, 40.0, words, f"About {words}")


def three() -> Document:
    blocks = tuple(Picture(f"f{i}", figure(words), f"Picture {i}") for i, words in enumerate(("one", "två", "痛"), 1))
    return Document("Title", "Review", "", (), (Section("s", "One", blocks),))


def test_each_figure_is_painted_with_its_text_and_alternative_and_one_font_serves_them_all():
    made = typeset.pdf(three())
    reader = PdfReader(io.BytesIO(made))
    page = next(p for p in reader.pages if "Picture 1" in p.extract_text())
    forms = [x.get_object() for x in page["/Resources"]["/XObject"].values()]
    drawn = [x for x in forms if x["/Subtype"] == "/Form" and "BALMAA" in str(x["/Resources"]["/Font"]["/F1"])]
    assert len(drawn) == 2, "the third has a letter that the bundled font lacks: typst sets it"
    assert drawn[0]["/Matrix"][0] * 80 == pytest.approx(1) and drawn[0]["/BBox"] == [0, 0, 80, 40]
    fonts = {x["/Resources"]["/Font"].raw_get("/F1").idnum for x in drawn}
    assert len(fonts) == 1
    text = page.extract_text()
    assert "one" in text and "två" in text and "Figure 2: Picture 2" in text.replace("\u00a0", " ")
    assert b"/Alt(About one)" in made


def test_without_place_holders_as_expected_the_typesetter_draws_the_figures(monkeypatch):
    def lost(self: Figures, file: bytes) -> list[int]:
        raise NotFound("no place holder")

    monkeypatch.setattr(Figures, "_places", lost)
    reader = PdfReader(io.BytesIO(typeset.pdf(three())))
    assert "one" in "".join(page.extract_text() for page in reader.pages)


def test_a_file_of_another_kind_is_refused():
    figures = Figures()
    figures.add(figure("one"))
    with pytest.raises(NotFound, match="0 place holders for 1 figures"):
        figures.into(b"%PDF-1.7\n")
