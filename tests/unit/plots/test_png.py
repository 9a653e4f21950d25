"""PNG of a figure, painted directly: beside poppler's picture of its PDF, and at the edges of what can be painted."""

from __future__ import annotations

import math
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import balm
from balm.plots import pdf, png, svg
from balm.plots.coverage import box, boxes, coverage, dashed, outlined
from balm.plots.figure import Figure
from balm.plots.flow import flow_diagram
from balm.plots.forest import forest
from balm.plots.funnel import funnel
from balm.plots.png import write_png
from balm.plots.shapes import NotOurs
from balm.plots.svg import Drawing
from balm.review.flow import Flow
from tests.unit.plots.results import BCG, pooled, risk_ratios
from tests.unit.plots.test_pdf import poppler

LIGHTS = {"Study": ["Smith 2001", "Żółć 2011"], "D1": ["Low", "High"], "D2": ["Critical", ""], "Overall": ["NI", "Low"]}
FIGURES = {
    "forest": lambda: forest(
        pooled(risk_ratios()), pooled_line=True, risk_of_bias={row[0]: ("low", "high", "") for row in BCG}
    ),
    "greyscale": lambda: forest(pooled(risk_ratios()), palette="greyscale", limits=(0.3, 1.5), reference=(0.8, "MID")),
    "funnel": lambda: funnel(pooled(risk_ratios())),
    "flow": lambda: flow_diagram(Flow(duplicates=3, new_studies=2)),
    "lights": lambda: balm.risk_of_bias_plot(LIGHTS),
    "bars": lambda: balm.risk_of_bias_plot(LIGHTS, kind="summary"),
}


def pixels(image: bytes) -> np.ndarray:
    """Height, width, colour of a PNG of ours."""
    width, height = struct.unpack(">II", image[16:24])
    chunks, at = {}, 8
    while at < len(image):
        length, kind = struct.unpack(">I4s", image[at : at + 8])
        chunks[kind] = image[at + 8 : at + 8 + length]
        assert struct.unpack(">I", image[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + chunks[kind])
        at += 12 + length
    assert list(chunks) == [b"IHDR", b"PLTE", b"pHYs", b"IDAT", b"IEND"]
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), dtype=np.uint8).reshape(height, width + 1)
    assert not rows[:, 0].any()
    return np.frombuffer(chunks[b"PLTE"], dtype=np.uint8).reshape(-1, 3)[rows[:, 1:]].astype(float)


def drawn(width: float = 60, height: float = 40, **how) -> Drawing:
    return Drawing(width, height, title="Shapes", description="Shapes.", **how)


def ink(drawing: Drawing, scale: float = 1.0) -> np.ndarray:
    """The share of black in every pixel."""
    return 1 - pixels(write_png(drawing.figure(), scale))[:, :, 0] / 255


@pytest.mark.parametrize("kind", FIGURES)
def test_the_picture_is_that_of_the_pdf(kind):
    figure = FIGURES[kind]()
    ours = pixels(write_png(figure, 2.0))
    ppm = poppler("pdftoppm", figure.pdf(), "-r", "192", "-")
    _, size, _, body = ppm.split(b"\n", 3)
    width, height = map(int, size.split())
    theirs = np.frombuffer(body, dtype=np.uint8).reshape(height, width, 3)
    height, width = min(height, len(ours)) // 8 * 8, min(width, ours.shape[1]) // 8 * 8
    # Edges are smoothed differently, but the ink in squares of eight pixels, a stroke or two wide, is the same.
    blocks = (ours[:height, :width] - theirs[:height, :width]).reshape(height // 8, 8, width // 8, 8, 3).mean((1, 3))
    assert np.abs(blocks).max() < 45
    assert np.abs(blocks).mean() < 1.3
    assert abs(blocks.mean()) < 0.3


def test_every_part_of_a_drawing_is_known_to_every_writer():
    for kind in svg._WRITERS:
        assert callable(getattr(pdf._Page, kind)) and callable(getattr(png._Canvas, kind))


def test_the_same_figure_gives_the_same_bytes_whatever_was_drawn_before():
    figure = forest(pooled(risk_ratios()))
    first = write_png(figure, 1.5)
    flow = drawn()
    flow.text(3, 20, "zyx 987", size=18)
    write_png(flow.figure(), 1.0)
    assert write_png(figure, 1.5) == first


def test_the_image_says_how_large_it_prints():
    image = write_png(drawn().figure(), 3.125)
    at = image.index(b"pHYs")
    assert struct.unpack(">IIB", image[at + 4 : at + 13]) == (11811, 11811, 1)  # 300 dots an inch


corner = st.tuples(st.floats(-20, 80), st.floats(-20, 60))


@given(st.lists(corner, min_size=3, max_size=3))
def test_a_triangle_covers_its_area(corners):
    (ax, ay), (bx, by), (cx, cy) = corners
    area = abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2
    _, _, shares = coverage([corners]).each()
    border = sum(math.dist(corners[i], corners[i - 1]) for i in range(3))
    assert abs(shares.sum() - area) <= (2 * border + 8) / 32  # shares of less than a 32nd are left out
    assert np.all(shares <= 1)


@given(st.floats(0, 20), st.floats(0, 20), st.floats(0.1, 30), st.floats(0.1, 30))
def test_a_level_box_is_a_polygon_with_four_corners(x, y, width, height):
    x2, y2 = x + width, y + height
    wanted = np.zeros((60, 60))
    rows, columns, shares = coverage([[(x, y), (x2, y), (x2, y2), (x, y2)]]).each()
    wanted[rows, columns] = shares
    for runs in (box(x, y, x2, y2), boxes(*(np.array([v]) for v in (x, y, x2, y2)))):
        found = np.zeros((60, 60))
        rows, columns, shares = runs.each()
        found[rows, columns] = shares
        assert np.abs(found - wanted).max() <= 1 / 32 + 1e-9


def test_shapes_that_reach_over_the_edge_are_cut_and_come_back_nowhere():
    drawing = drawn()
    for x, y in ((-10, -10), (50, -10), (-10, 30), (50, 30)):
        drawing.rect(x, y, 20, 20, fill="#000")
        drawing.circle(x + 10, y + 10, 10, fill="#000")
    drawing.polygon([(100, 5), (120, 5), (110, 9)], fill="#000")
    drawing.line(-50, 20.5, 5, 20.5)
    drawing.text(-200, 20, "outside")
    drawing.text(500, 90, "outside")
    found = ink(drawing)
    assert found[:10, :10].min() == found[30:, 50:].min() == 1
    assert found[20, :5].min() == 1
    assert found[:, 12:48].max() == 0


def test_a_line_has_its_width_its_dashes_and_pointed_corners():
    drawing = drawn()
    drawing.line(10, 20, 50, 20, width=2)
    assert ink(drawing).sum() == pytest.approx(80)
    drawing = drawn()
    drawing.line(10, 20, 50, 20, width=2, dash="6 4")
    assert ink(drawing).sum() == pytest.approx(48)
    assert dashed([(0, 0), (4, 0), (4, 3)], [5, 1]) == [[(0, 0), (4, 0), (4, 1)], [(4, 2), (4, 3)]]
    (elbow,) = outlined([(0, 0), (10, 0), (10, 10)], 2, False)
    assert (11, -1) in [tuple(map(round, corner)) for corner in elbow]
    assert outlined([(1, 1), (1, 1)], 2, False) == []


def test_colours_are_those_asked_for():
    drawing = drawn(background="#fffaf0")
    drawing.rect(0, 0, 30, 20, fill="#2b6cb0")
    drawing.rect(10, 5, 10, 10, fill="#9b2c2c")
    found = pixels(write_png(drawing.figure(), 1.0))
    assert found[1, 1].tolist() == [0x2B, 0x6C, 0xB0]
    assert found[10, 15].tolist() == [0x9B, 0x2C, 0x2C]
    assert found[35, 50].tolist() == [0xFF, 0xFA, 0xF0]


def test_letters_stand_upright_turned_and_in_the_middle():
    upright, turned = drawn(100, 100), drawn(100, 100)
    upright.text(50, 50, "Words", anchor="middle")
    turned.text(50, 50, "Words", anchor="middle", rotate=-90)
    one, other = ink(upright), ink(turned)
    assert one.sum() == pytest.approx(other.sum(), rel=0.03)
    rows, columns = np.nonzero(one)
    assert abs((columns.min() + columns.max()) / 2 - 50) < 1.5 and rows.max() == 50
    rows, columns = np.nonzero(other)
    assert abs((rows.min() + rows.max()) / 2 - 50) < 1.5 and columns.max() == 50


def test_what_is_not_painted_goes_to_the_typesetter():
    chinese, glass, other, many = drawn(), drawn(), drawn(font_family="Georgia"), drawn(400, 40)
    chinese.text(5, 20, "中村")
    glass.rect(0, 0, 5, 5, fill="#00000080")
    for i in range(300):
        many.rect(i, 0, 1, 1, fill=f"#{i:06x}")
    raw = Figure('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"></svg>', 9, 9, "t", "d")
    for figure in (*[one.figure() for one in (chinese, glass, other, many)], raw):
        with pytest.raises(NotOurs):
            write_png(figure, 1.0)
        assert figure.png().startswith(b"\x89PNG")
    with pytest.raises(NotOurs, match="large"):
        write_png(drawn(5000, 5000).figure(), 2.0)


def test_more_mixtures_than_a_palette_holds_take_the_nearest_colour():
    drawing = drawn(400, 60)
    for i in range(40):
        drawing.circle(10 * i, 20, 8, fill=f"#{6 * i:02x}{255 - 6 * i:02x}80")
    drawing.text(5, 24, "letters over discs of many colours")
    found = pixels(write_png(drawing.figure(), 1.0))
    assert len(np.unique(found.reshape(-1, 3), axis=0)) <= 256
    assert found[58, 200].tolist() == [255, 255, 255]
