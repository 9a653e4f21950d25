"""Widths without a font: the table is that of the bundled font, read again here from its own tables."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

import balm.plots.text_width as table
from balm.plots.text_width import BOLD, COVERED, REGULAR, fit, text_width, widest, wrap

FONTS = Path(table.__file__).parent / "fonts"


def advances(path: Path) -> dict[int, int]:
    """Character -> advance in thousandths, from ``cmap`` format 4 and ``hmtx`` (OpenType specification)."""
    font = path.read_bytes()
    where = {}
    for i in range(struct.unpack(">H", font[4:6])[0]):
        tag, _, offset, _ = struct.unpack(">4sIII", font[12 + 16 * i : 28 + 16 * i])
        where[tag] = offset

    def u16(at: int, count: int = 1) -> tuple[int, ...]:
        return struct.unpack(f">{count}H", font[at : at + 2 * count])

    units, long_metrics = u16(where[b"head"] + 18)[0], u16(where[b"hhea"] + 34)[0]
    widths = u16(where[b"hmtx"], 2 * long_metrics)[::2]
    cmap = where[b"cmap"]
    found: dict[int, int] = {}
    for i in range(u16(cmap + 2)[0]):
        platform, _, offset = struct.unpack(">HHI", font[cmap + 4 + 8 * i : cmap + 12 + 8 * i])
        at = cmap + offset
        if platform != 3 or u16(at)[0] != 4:
            continue
        n = u16(at + 6)[0] // 2
        ends, starts = u16(at + 14, n), u16(at + 16 + 2 * n, n)
        deltas, ranges = u16(at + 16 + 4 * n, n), u16(at + 16 + 6 * n, n)
        for j in range(n):
            for code in range(starts[j], min(ends[j], 0xFFFE) + 1):
                if ranges[j]:
                    glyph = u16(at + 16 + 6 * n + 2 * j + ranges[j] + 2 * (code - starts[j]))[0]
                    glyph = (glyph + deltas[j]) & 0xFFFF if glyph else 0
                else:
                    glyph = (code + deltas[j]) & 0xFFFF
                if glyph:
                    found[code] = round(widths[min(glyph, long_metrics - 1)] / units * 1000)
    return found


@pytest.mark.parametrize(("face", "widths"), [("Regular", REGULAR), ("Bold", BOLD)])
def test_the_table_is_the_bundled_font(face, widths):
    real = advances(FONTS / f"LiberationSans-{face}.ttf")
    wrong = {c: (widths[c], real.get(ord(c))) for c in COVERED if widths[c] != real.get(ord(c))}
    assert wrong == {}
    assert {chr(c) for c in range(32, 127)} <= COVERED
    assert set("−²·–—…≤≥≈±τχμéøß←→") <= COVERED


def test_digits_are_equally_wide_in_both_faces():
    assert {REGULAR[d] for d in "0123456789"} == {BOLD[d] for d in "0123456789"} == {556}


def test_characters_outside_the_table():
    assert text_width("東", 10) == 10.0
    assert text_width("e\u0301", 10) == text_width("e", 10)


def test_widest_is_the_largest_of_the_widths():
    texts = ["0.49 [0.33, 0.73]", "", "WWW", "−1.00", "Not estimable", "1111111"]
    assert widest(texts, 12) == max(text_width(t, 12) for t in texts)
    assert widest([]) == 0


@pytest.mark.parametrize(
    "texts",
    [
        [f"{x:.2f} [−{x * 7:.2f}, 1.20]" for x in range(30)],
        [f"Müller-Lüdenscheidt & Ångström {i}" for i in range(12)],
        [f"Wałęsa 東京 − {i}" for i in range(12)],
        ["+", "−", "", "-", "a", "é"],
    ],
)
def test_widest_of_a_long_column_takes_no_wrong_shortcut(texts):
    for bold in (False, True):
        assert widest(texts, 12, bold=bold) == max(text_width(t, 12, bold=bold) for t in texts)


def test_minus_and_plus_are_equally_wide():
    assert REGULAR["−"] == REGULAR["+"] and BOLD["−"] == BOLD["+"]


def test_fit_never_exceeds_the_room_and_keeps_what_fits():
    text = "Anaesthesia and Intensive Care Unit Study Group 2004"
    for room in range(8, 300, 7):
        short = fit(text, room, 10)
        assert text_width(short, 10) <= room or short == "…"
        assert short == text or (short.endswith("…") and text.startswith(short[:-1]))


def test_wrap_loses_nothing_when_there_are_lines_enough():
    text = "Anaesthesia and Intensive Care Unit Study Group 2004"
    lines = wrap(text, 100, 10, lines=9)
    assert " ".join(lines) == text and all(text_width(line, 10) <= 100 for line in lines)
    assert len(wrap(text, 100, 10, lines=2)) == 2
