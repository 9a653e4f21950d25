"""The SVG writer: safe text, stable bytes, described for those who cannot see it."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from balm.plots.svg import Drawing, escape, number, numbers, safe_link

SVG = "{http://www.w3.org/2000/svg}"


def drawing() -> Drawing:
    made = Drawing(200, 100, title='A "title" <b>', description="What & why")
    made.text(
        10, 20, "</text><script>alert(1)</script>", full="whole & <all>", anchor="end", bold=True, size=9, fill="#333"
    )
    made.text(5, 5, "turned", rotate=-90)
    made.line(0, 0, 10, 10, dash="3 2")
    made.rect(1, 1, 5, 5, fill="#eee", stroke="#000", radius=2, full="a box")
    made.circle(5, 5, 2, fill="red")
    made.polygon([(0, 0), (1, 1), (2, 0)], fill="#000")
    made.polyline([(0, 0), (1, 1)])
    made.path("M0 0H5", stroke="#000")
    made.open_group("rows & columns")
    made.open_link("javascript:alert(1)")
    made.text(1, 1, "link")
    made.close_link()
    made.close_group()
    return made


def test_it_is_well_formed_and_described():
    root = ElementTree.fromstring(drawing().figure().svg)
    assert root.get("role") == "group"  # it holds a link, which nobody could reach inside an image
    assert ElementTree.fromstring(Drawing(10, 10, title="t", description="d").figure().svg).get("role") == "img"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title.text == 'A "title" <b>' and description.text == "What & why"
    assert root.get("aria-labelledby") == f"{title.get('id')} {description.get('id')}"


def test_nothing_in_it_can_run():
    root = ElementTree.fromstring(drawing().figure().svg)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "rect", "text", "line", "circle", "polygon", "polyline", "path", "g", "a"}
    assert [a.get("href") for a in root.iter(f"{SVG}a")] == ["#"]
    assert not any(name.startswith("on") or name == "style" for element in root.iter() for name in element.attrib)


def test_the_same_drawing_gives_the_same_bytes():
    assert drawing().figure().svg == drawing().figure().svg


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\x1f", "\ud800", "\ufffe", "\uffff"])
def test_what_xml_cannot_hold_is_replaced(bad):
    made = Drawing(10, 10, title=f"a{bad}b", description=bad)
    made.text(0, 0, f"x{bad}y")
    svg = made.figure().svg
    ElementTree.fromstring(svg.encode("utf-8"))
    assert "x\ufffdy" in svg and escape(bad) == "\ufffd"


@pytest.mark.parametrize(
    ("x", "text"),
    [(0, "0"), (-0.0, "0"), (-0.001, "0"), (100, "100"), (10.5, "10.5"), (1 / 3, "0.33"), (12345.678, "12345.68")],
)
def test_numbers_are_short(x, text):
    assert number(x) == text


@pytest.mark.parametrize(
    "address",
    [
        "javascript:x",
        "JaVaScRiPt:x",
        " \tjavascript:x",
        "java\nscript:x",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc",
    ],
)
def test_links_that_could_run_are_dropped(address):
    assert safe_link(address) == "#"


@pytest.mark.parametrize("address", ["https://doi.org/10.1/a?b=c&d", "#study-1", "report.html#x", "mailto:a@b.org"])
def test_ordinary_links_are_kept(address):
    assert safe_link(address) == address


@given(st.lists(st.one_of(st.floats(-1e4, 1e4), st.floats(99.99, 1000.0)), max_size=6))
def test_a_column_of_coordinates_is_its_numbers_one_by_one(xs):
    assert numbers(xs) == [number(x) for x in xs]


def test_coordinates_at_the_edges_of_the_shortcut():
    assert numbers([100.0, 999.996, 250.5, 123.456]) == ["100", "1000", "250.5", "123.46"]
    assert numbers([99.996, 1000.004]) == ["100", "1000"]
