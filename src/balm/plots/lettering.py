"""Letters of the bundled font as pixels: each is drawn once for a weight, a size and a place between two pixels.

Base lines stand on whole pixels, which keeps letters sharp; sideways a letter stands on the nearest quarter pixel.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from balm.plots.coverage import counted, coverage
from balm.plots.liberation import face
from balm.plots.shapes import NotOurs
from balm.plots.text_width import BOLD, REGULAR

#: Every character of the font has a lower code.
_CHARACTERS = 0x10000
#: Places between two pixels at which a letter is drawn.
_PLACES = 4


class Lettering:
    """The letters of one weight at ``size`` pixels, kept as they are met."""

    def __init__(self, bold: bool, size: float) -> None:
        self._bold, self._size = bold, size
        self._number = np.full(_CHARACTERS * _PLACES, -1, dtype=np.int16)  # of a letter at a place, in the order met
        self._pixels: list[tuple[Any, Any, Any]] = []  # rows, columns and shares of each
        self._joined: tuple[Any, ...] = ()

    def pixels(
        self, xs: Any, ys: Any, texts: Sequence[str], before: Any, height: int, width: int
    ) -> list[tuple[Any, Any]]:
        """The pixels of ``texts`` in an image, numbered row by row, and the share of each that is covered.

        ``before`` is the share of a text's width that lies left of ``xs``. Two sets of pixels: no letters of a set
        touch. A letter that would reach over the edge is left out.
        """
        codes = np.frombuffer("".join(texts).encode("utf-32-le"), dtype=np.uint32)
        if not len(codes):
            return []
        if codes.max() >= _CHARACTERS:
            raise NotOurs("characters outside the bundled font")
        advance = _advances(self._bold)[codes]
        if advance.min() < 0:
            raise NotOurs("characters outside the bundled font")
        lengths = np.fromiter(map(len, texts), np.intp, len(texts))
        ends = np.cumsum(lengths)
        reach = np.concatenate([[0.0], np.cumsum(advance)]) * self._size
        first, last = reach[ends - lengths], reach[ends]
        starts = xs - before * (last - first) - first
        place = np.floor((np.repeat(starts, lengths) + reach[:-1]) * _PLACES + 0.5).astype(np.int32)
        column, row = place // _PLACES, np.repeat(np.floor(ys + 0.5).astype(np.int32), lengths)
        letter = self._letters(codes.astype(np.int32) * _PLACES + place % _PLACES)
        count, start, top, left, bottom, right, rows, columns, shares = self._joined
        inside = (row + top[letter] >= 0) & (row + bottom[letter] < height)
        inside &= (column + left[letter] >= 0) & (column + right[letter] < width)
        letter, origin = letter[inside], (row * width + column)[inside]
        steps = rows * width + columns
        found = []
        for one in (slice(0, None, 2), slice(1, None, 2)):
            counts = count[letter[one]]
            source = np.repeat(start[letter[one]], counts) + counted(counts)
            found.append((np.repeat(origin[one], counts) + steps[source], shares[source]))
        return found

    def _letters(self, keys: Any) -> Any:
        """The numbers of letters; those met for the first time are drawn."""
        numbers = self._number[keys]
        new = np.unique(keys[numbers < 0]).tolist()
        if not new:
            return numbers
        for key in new:
            self._number[key] = len(self._pixels)
            self._pixels.append(self._drawn(chr(key // _PLACES), key % _PLACES / _PLACES))
        count = np.array([len(rows) for rows, _, _ in self._pixels])
        rows, columns, shares = (np.concatenate(column) for column in zip(*self._pixels, strict=True))
        boxes = [(r.min(), c.min(), r.max(), c.max()) if len(r) else (0, 0, 0, 0) for r, c, _ in self._pixels]
        self._joined = (count, np.cumsum(count) - count, *np.array(boxes).T, rows, columns, shares)
        return self._number[keys]

    def _drawn(self, character: str, right: float) -> tuple[Any, Any, Any]:
        outline = face(self._bold).outline(character)
        if not outline:
            return np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros(0)
        return coverage([[(x * self._size + right, -y * self._size) for x, y in part] for part in outline]).each()


@lru_cache(16)
def lettering(bold: bool, size: float) -> Lettering:
    """The letters kept for a weight and size in pixels."""
    return Lettering(bold, size)


@lru_cache(2)
def _advances(bold: bool) -> Any:
    """Advance widths by character as shares of the em; below zero for characters that the font lacks."""
    widths = BOLD if bold else REGULAR
    found = np.full(_CHARACTERS, -1.0)
    covered = [(ord(c), w) for c, w in widths.items() if face(bold).has(c)]
    codes, advances = zip(*covered, strict=True)
    found[list(codes)] = advances
    return found / 1000


def turned(text: str, bold: bool, size: float, x: float, y: float, cosine: float, sine: float) -> list[Any]:
    """The contours of a text that begins at (x, y) and runs in the direction (cosine, sine)."""
    widths = BOLD if bold else REGULAR
    found = []
    along = 0.0
    for character in text:
        if not face(bold).has(character):
            raise NotOurs("characters outside the bundled font")
        for part in face(bold).outline(character):
            places = [(along + px * size, -py * size) for px, py in part]
            found.append([(x + u * cosine - v * sine, y + u * sine + v * cosine) for u, v in places])
        along += widths[character] * size / 1000
    return found
