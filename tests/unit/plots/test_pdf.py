"""PDF of a figure: the same words and geometry as its SVG, read back by poppler, which must not complain."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET

import pytest

from balm.plots.figure import Figure
from balm.plots.flow import flow_diagram
from balm.plots.forest import forest
from balm.plots.funnel import funnel
from balm.plots.liberation import face
from balm.plots.pdf import write_pdf
from balm.plots.shapes import NotOurs, path_of
from balm.plots.svg import Drawing
from balm.plots.text_width import BOLD, COVERED, REGULAR
from balm.review.flow import Flow
from tests.unit.plots.results import pooled, risk_ratios

SVG = "{http://www.w3.org/2000/svg}"


def poppler(tool: str, pdf: bytes, *options: str) -> bytes:
    """What a poppler tool makes of the file; any complaint is a failure."""
    if shutil.which(tool) is None:
        if os.environ.get("CI"):
            pytest.fail(f"{tool} is missing: apt-get install poppler-utils")
        pytest.skip(f"{tool} is missing: apt-get install poppler-utils")
    done = subprocess.run([tool, *options], input=pdf, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def words(figure: Figure) -> list[str]:
    """The words of the SVG's texts."""
    found = []
    for text in ET.fromstring(figure.svg).iter(f"{SVG}text"):
        found += ((text.text or "") + "".join([child.tail or "" for child in text])).split()
    return sorted(found)


def drawing(text: str, **how) -> Figure:
    made = Drawing(400, 40, title="Words – τ²", description="A line (of) words \\ and 中")
    made.text(10, 20, text, **how)
    return made.figure()


FIGURES = {
    "forest": lambda: forest(pooled(risk_ratios()), title="BCG & (tuberculosis) \\ τ²", favours=("one <1>", "two")),
    "greyscale": lambda: forest(pooled(risk_ratios()), palette="greyscale", reference=(0.8, "MID"), pooled_line=True),
    "funnel": lambda: funnel(pooled(risk_ratios())),
    "flow": lambda: flow_diagram(Flow(duplicates=3, new_studies=2)),
}


@pytest.mark.parametrize("kind", FIGURES)
def test_the_words_and_the_page_are_those_of_the_svg(kind):
    figure = FIGURES[kind]()
    pdf = write_pdf(figure)
    assert sorted(poppler("pdftotext", pdf, "-raw", "-", "-").decode().split()) == words(figure)
    said = poppler("pdfinfo", pdf, "-").decode()
    width, height = map(float, re.search(r"Page size: +([\d.]+) x ([\d.]+) pts", said).groups())
    assert width == pytest.approx(figure.width * 0.75, abs=0.01)
    assert height == pytest.approx(figure.height * 0.75, abs=0.01)
    assert f"Title:           {figure.title}\n" in said and "Tagged:          yes" in said
    fonts = poppler("pdffonts", pdf, "-").decode().splitlines()[2:]
    assert fonts and all(re.search(r"TrueType +\S+ +yes yes yes", font) for font in fonts)
    assert poppler("pdftoppm", pdf, "-r", "20", "-").startswith(b"P6")


def test_letters_stand_where_the_svg_puts_them():
    figure = forest(pooled(risk_ratios()))
    pdf = poppler("pdftotext", write_pdf(figure), "-bbox", "-", "-").decode()
    boxes = {w: float(x) / 0.75 for x, w in re.findall(r'xMax="([\d.]+)"[^>]*>([^<]*)</word>', pdf)}
    ends = {
        t.text: float(t.get("x")) for t in ET.fromstring(figure.svg).iter(f"{SVG}text") if t.get("text-anchor") == "end"
    }
    for text in ("13598", "12867", "8.9%"):
        assert boxes[text] == pytest.approx(ends[text], abs=0.05)


@pytest.mark.parametrize(
    "text",
    [
        "τ² = 0.31, χ² = 152.2, I² ≥ 50%, ≤ −0.5 – — ± × · … ∞ µ α",
        "Müller Gößwald Łukasz Żółć Šimůnek Ðorđe Çelik İnönü Őri",
        "Иванов Ковалёв Παπαδόπουλος Nguyễn Thị Hằng ← → ■ ◊",
        "(a) \\ (b (c) <1> & \"two\" 'three' [4] {5} %6 /7",
    ],
)
@pytest.mark.parametrize("bold", [False, True])
def test_characters_come_back_and_are_drawn(text, bold):
    pdf = write_pdf(drawing(text, bold=bold))
    assert poppler("pdftotext", pdf, "-raw", "-", "-").decode().split() == text.split()
    assert (b"BALMAB" in pdf) is bold


def test_every_character_that_counts_as_covered_has_a_glyph():
    for character in sorted(COVERED):
        for bold, widths in ((False, REGULAR), (True, BOLD)):
            assert character.isspace() or face(bold).advance(character) == pytest.approx(widths[character], abs=1)


@pytest.mark.parametrize("text", ["中村 2019", "\N{GRINNING FACE}", "a\u0301"])
def test_characters_outside_the_font_go_to_the_typesetter(text):
    figure = drawing(text)
    with pytest.raises(NotOurs, match="font"):
        write_pdf(figure)
    assert figure.pdf().startswith(b"%PDF-")


def test_what_is_not_in_the_subset_goes_to_the_typesetter():
    other = Drawing(400, 40, title="t", description="d", font_family="Georgia")
    other.text(10, 20, "a")
    curve = Drawing(400, 40, title="t", description="d")
    curve.path("M0 0C1 1 2 2 3 3")
    for figure in (
        Figure('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>', 9, 9, "t", "d"),
        drawing("a", fill="#00000080"),
        other.figure(),
        curve.figure(),
    ):
        with pytest.raises(NotOurs):
            write_pdf(figure)
        assert figure.pdf().startswith(b"%PDF-")


def test_every_length_and_place_in_the_file_is_exact():
    pdf = write_pdf(forest(pooled(risk_ratios())))
    for found in re.finditer(rb"/Length (\d+)/Filter[^>]*>>\nstream\n", pdf):
        assert pdf[found.end() + int(found[1]) :].startswith(b"\nendstream")
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n\Z", pdf)[1])
    places = re.findall(rb"(\d{10}) 00000 n \n", pdf[start:])
    assert len(places) > 10
    for number, place in enumerate(places, 1):
        assert pdf[int(place) :].startswith(b"%d 0 obj\n" % number)


def test_the_same_figure_gives_the_same_bytes():
    assert write_pdf(forest(pooled(risk_ratios()))) == write_pdf(forest(pooled(risk_ratios())))


def test_paths_of_straight_lines():
    assert path_of("M1 2h3v-1h-3zM0 0V5") == [
        ([(1, 2), (4, 2), (4, 1), (1, 1)], True),
        ([(0, 0), (0, 5)], False),
    ]
    with pytest.raises(NotOurs):
        path_of("M0 0C1 1 2 2 3 3")
