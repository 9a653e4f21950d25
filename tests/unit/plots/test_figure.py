"""Keeping a figure: SVG, PNG and PDF of the same drawing, written whole or not at all."""

from __future__ import annotations

import struct
import subprocess
import sys

import pytest

from balm.plots.figure import Figure
from balm.plots.svg import Drawing
from balm.vocabulary.problems import InputError


@pytest.fixture
def figure() -> Figure:
    drawing = Drawing(120, 40, title='A "title" \\ #x', description="[what] *it* shows $ & \n why")
    drawing.text(10, 20, "Smith & Co 2001")
    return drawing.figure()


def test_svg_png_and_pdf_by_ending(figure, tmp_path):
    assert figure.save(tmp_path / "a.svg").read_text("utf-8") == figure.svg
    assert figure.save(str(tmp_path / "a.PNG")).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert figure.save(tmp_path / "a.pdf").read_bytes()[:5] == b"%PDF-"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.PNG", "a.pdf", "a.svg"]


def test_png_size_is_the_scale(figure):
    for scale in (1, 2, 3):
        assert struct.unpack(">II", figure.png(scale)[16:24]) == (120 * scale, 40 * scale)


def test_exports_are_the_same_bytes_every_time(figure):
    assert figure.png() == figure.png() and figure.pdf() == figure.pdf()


def test_an_unknown_ending_is_named(figure, tmp_path):
    for name in ("a.gif", "a", "a.svg.zip"):
        with pytest.raises(InputError, match=r"must end in one of \['.svg', '.png', '.pdf'\]; got"):
            figure.save(tmp_path / name)


def test_a_place_that_cannot_be_written_is_named_and_leaves_nothing(figure, tmp_path):
    with pytest.raises(InputError, match="cannot write"):
        figure.save(tmp_path / "nowhere" / "a.svg")
    (tmp_path / "taken.svg").mkdir()
    with pytest.raises(InputError, match="cannot write"):
        figure.save(tmp_path / "taken.svg")
    assert [p.name for p in tmp_path.iterdir()] == ["taken.svg"]


def test_the_file_has_the_permissions_of_any_new_file_and_its_name_may_be_long(figure, tmp_path):
    figure.save(tmp_path / ("n" * 250 + ".svg"))
    (tmp_path / "plain").touch()
    modes = {path.stat().st_mode for path in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_path_without_a_folder(figure, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    figure.save("a.svg")
    assert [p.name for p in tmp_path.iterdir()] == ["a.svg"]


def test_an_existing_file_survives_a_failure(figure, tmp_path):
    target = tmp_path / "a.png"
    target.write_bytes(b"before")
    broken = Figure("<svg", 10, 10, "t", "d")
    with pytest.raises(Exception, match=r"."):
        broken.save(target)
    assert target.read_bytes() == b"before"


@pytest.mark.parametrize("scale", [0, -1, 21, float("nan")])
def test_scales_that_make_no_image(figure, scale):
    with pytest.raises(InputError, match="scale"):
        figure.png(scale)


def test_shown_in_a_notebook(figure):
    assert figure._repr_svg_() == figure.svg
    assert "120 x 40 px" in repr(figure)


def test_drawing_asks_for_nothing_but_the_standard_library():
    code = "import sys, balm.plots.forest; print({m.split('.')[0] for m in sys.modules} & {'numpy', 'scipy', 'typst'})"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "set()"
