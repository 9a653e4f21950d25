"""Colours and outlines of a drawing as numbers, for the writers that do not speak SVG.

They know what our figures use and nothing else: a colour or path beyond that raises :class:`NotOurs`, and the figure
goes to a typesetter that knows all of SVG.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from balm.plots.svg import Drawing

Colour = tuple[int, int, int]
Corners = list[tuple[float, float]]

#: The share of a text's width that lies before its position.
ANCHORS = {"start": 0.0, "middle": 0.5, "end": 1.0}
#: How far the control points of a quarter circle lie from its ends, as a share of its radius.
KAPPA = 0.5522847498
_STEP = re.compile(r"([MLHVZhvz])([^MLHVZhvz]*)")
_OTHER = re.compile(r"[^MLHVZhvz0-9 ,.\-]")
_WHITE = re.compile("[ \t\r\n]+")


class NotOurs(Exception):
    """The drawing holds something that only a full reader of SVG can draw."""


@lru_cache(256)
def colour(value: str) -> Colour:
    """Red, green and blue, 0 to 255, of ``#rrggbb`` or ``#rgb``.

    >>> colour("#f80"), colour("#ff8800")
    ((255, 136, 0), (255, 136, 0))
    """
    digits = value[1:] if len(value) == 7 else "".join([2 * digit for digit in value[1:]])
    if len(digits) != 6 or not value.startswith("#"):
        raise NotOurs(value)
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def on_one_line(text: str) -> str:
    """``text`` as SVG shows it: any white space is one space."""
    if "  " in text or not text.isprintable():
        return _WHITE.sub(" ", text)
    return text


def texts_of(drawing: Drawing) -> Iterator[str]:
    """Every text of a drawing."""
    for kind, how in drawing.parts:
        if kind == "text":
            yield on_one_line(how[2])
        elif kind == "table":
            for _, _, texts in how[1]:
                yield from map(on_one_line, texts)


def path_of(d: str) -> list[tuple[Corners, bool]]:
    """The corners of each part of a path of straight lines, and whether it is closed.

    >>> path_of("M1 2H5V4Z")
    [([(1.0, 2.0), (5.0, 2.0), (5.0, 4.0)], True)]
    """
    if _OTHER.search(d):
        raise NotOurs(d)
    found: list[tuple[Corners, bool]] = []
    corners: Corners = []
    x = y = 0.0
    for command, values in _STEP.findall(d):
        if command in "Zz":
            found.append((corners, True))
            corners = []
            continue
        numbers = [float(value) for value in values.replace(",", " ").split()]
        if command == "M" and corners:
            found.append((corners, False))
            corners = []
        if command in "ML":
            x, y = numbers
        elif command in "Hh":
            x = numbers[0] + (x if command == "h" else 0.0)
        else:
            y = numbers[0] + (y if command == "v" else 0.0)
        corners.append((x, y))
    return [*found, (corners, False)] if corners else found
