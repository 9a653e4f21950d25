"""How much of each pixel a shape covers: the areas behind smooth edges, computed exactly.

A shape is the lines around it, each with a direction; its inside is where they wind around. Every line is cut at the
borders of pixels, each piece adds what lies to its right to its own pixel and the next, and a running sum gives the
rest, so that only pixels at the border are looked at. Coordinates are pixels, y downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import ceil, floor, hypot
from typing import Any, NamedTuple

import numpy as np

#: Lines that rise less are level.
_FLAT = 1e-9
#: A smaller share of a pixel cannot be seen.
_LEAST = 1 / 32
#: Where two lines meet, the tip may reach this many half widths out, as in SVG.
_MITRE = 4.0
Corners = Sequence[tuple[float, float]]


class Runs(NamedTuple):
    """Pixels of one row side by side of which the same share is covered: (n,) each, rows and columns as in an image."""

    rows: Any
    columns: Any
    lengths: Any
    shares: Any

    def each(self) -> tuple[Any, Any, Any]:
        """Row, column and share of every pixel."""
        columns = np.repeat(self.columns, self.lengths) + counted(self.lengths)
        return np.repeat(self.rows, self.lengths), columns, np.repeat(self.shares, self.lengths)


def counted(lengths: Any) -> Any:
    """0, 1, 2 ... for each of ``lengths``, one after the other.

    >>> counted(np.array([2, 3]))
    array([0, 1, 0, 1, 2])
    """
    ends = np.cumsum(lengths)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def coverage(contours: Sequence[Corners]) -> Runs:
    """What closed contours cover; winding other than 0 is inside. Shares too small to be seen are left out.

    >>> [column.tolist() for column in coverage([[(0.5, 0), (4, 0), (4, 1), (0.5, 1)]])]
    [[0, 0], [0, 1], [1, 3], [0.5, 1.0]]
    """
    around_each = [np.array([*corners, corners[0]], dtype=float) for corners in contours]
    start = np.concatenate([corners[:-1] for corners in around_each])
    end = np.concatenate([corners[1:] for corners in around_each])
    left, top = np.floor(start.min(axis=0)).astype(int).tolist()
    stride = int(np.ceil(start[:, 0].max())) - left + 2
    slanted = np.abs(start[:, 1] - end[:, 1]) > _FLAT
    x0, y0 = (start[slanted] - (left, top)).T
    x1, y1 = (end[slanted] - (left, top)).T
    line, row = _cells(y0, y1)
    a, b = _within(y0[line], row), _within(y1[line], row)
    slope = ((x1 - x0) / (y1 - y0))[line]
    x0, x1 = x0[line] + (a - y0[line]) * slope, x0[line] + (b - y0[line]) * slope
    piece, column = _cells(x0, x1)
    across = x1 - x0
    level = np.abs(across) < _FLAT
    across[level] = 1.0
    a2, b2 = _within(x0[piece], column), _within(x1[piece], column)
    rise = (b - a)[piece] * np.where(level[piece], 1.0, (b2 - a2) / across[piece])
    share = rise * ((a2 + b2) / 2 - column)
    at = row[piece] * stride + column
    places, which = np.unique(np.concatenate([at, at + 1]), return_inverse=True)
    covered = np.minimum(np.abs(np.cumsum(np.bincount(which, np.concatenate([rise - share, share])))), 1.0)
    seen = covered > _LEAST
    lengths = np.diff(places, append=places[-1:] + 1)[seen]
    rows, columns = np.divmod(places[seen], stride)
    return Runs(rows + top, columns + left, lengths, covered[seen])


def _cells(a: Any, b: Any) -> tuple[Any, Any]:
    """For each stretch from ``a`` to ``b``, its number and the unit cells it passes, one entry a cell."""
    first = np.floor(np.minimum(a, b)).astype(np.intp)
    count = np.maximum(np.ceil(np.maximum(a, b)).astype(np.intp) - first, 1)
    which = np.repeat(np.arange(len(count)), count)
    return which, first[which] + counted(count)


def _within(value: Any, cell: Any) -> Any:
    return np.minimum(np.maximum(value, cell), cell + 1)


def outlined(corners: Corners, width: float, closed: bool) -> list[Corners]:
    """The contours around a line of ``width`` through ``corners``, with pointed joins and flat ends."""
    points = [p for i, p in enumerate(corners) if i == 0 or p != corners[i - 1]]
    if closed and len(points) > 1 and points[0] == points[-1]:
        points.pop()
    if len(points) < 2:
        return []
    ends = [*points[1:], points[0]]
    normals = []
    for (x0, y0), (x1, y1) in zip(points, ends, strict=True):
        length = hypot(x1 - x0, y1 - y0) or 1.0
        normals.append(((y0 - y1) / length, (x1 - x0) / length))
    half = width / 2
    one: list[tuple[float, float]] = []
    other: list[tuple[float, float]] = []
    for i, (x, y) in enumerate(points):
        (ax, ay), (bx, by) = normals[i - 1], normals[i]
        if not closed and i == 0:
            ax, ay = bx, by
        elif not closed and i == len(points) - 1:
            bx, by = ax, ay
        turn = 1 + ax * bx + ay * by
        if turn * _MITRE**2 >= 2:  # the tip reaches sqrt(2 / turn) half widths out
            dx, dy = (ax + bx) / turn * half, (ay + by) / turn * half
            one.append((x + dx, y + dy))
            other.append((x - dx, y - dy))
        else:
            one += [(x + ax * half, y + ay * half), (x + bx * half, y + by * half)]
            other += [(x - ax * half, y - ay * half), (x - bx * half, y - by * half)]
    return [one, other[::-1]] if closed else [one + other[::-1]]


def dashed(corners: Corners, pattern: Sequence[float]) -> list[Corners]:
    """The parts of an open line that are drawn: on and off by turns, in the lengths of ``pattern``."""
    found: list[Corners] = []
    at, left, on = 0, pattern[0], True
    part: list[tuple[float, float]] = [corners[0]]
    for (x0, y0), (x1, y1) in pairwise(corners):
        length, gone = hypot(x1 - x0, y1 - y0), 0.0
        while length - gone > left:
            gone += left
            place = (x0 + (x1 - x0) * gone / length, y0 + (y1 - y0) * gone / length)
            if on:
                found.append([*part, place])
            part = [place]
            at, on = at + 1, not on
            left = pattern[at % len(pattern)]
        left -= length - gone
        part.append((x1, y1))
    return [*found, part] if on else found


def boxes(x0: Any, y0: Any, x1: Any, y1: Any) -> Runs:
    """What level rectangles (k,) cover."""
    rows, high = _edges(y0, y1, int((np.ceil(y1) - np.floor(y0)).max()))
    first, last = np.floor(x0).astype(np.intp), np.ceil(x1).astype(np.intp) - 1
    columns = np.stack([first, first + 1, last])
    lengths = np.stack([np.ones_like(first), np.maximum(last - first - 1, 0), (last > first).astype(np.intp)])
    wide = np.stack([np.minimum(x1, first + 1) - x0, np.ones_like(x0), x1 - last])
    shape = (len(rows), *columns.shape)
    shares = high[:, None, :] * wide
    lengths = np.where(shares > _LEAST, lengths, 0)
    flat = [np.broadcast_to(part, shape).reshape(-1) for part in (rows[:, None, :], columns, lengths, shares)]
    seen = flat[2] > 0
    return Runs(*[part[seen] for part in flat])


def box(x0: float, y0: float, x1: float, y1: float) -> Runs:
    """What one level rectangle covers.

    >>> [column.tolist() for column in box(0.5, 0, 4, 1)]
    [[0, 0, 0], [0, 1, 3], [1, 2, 1], [0.5, 1.0, 1.0]]
    """
    first, last, top = floor(x0), ceil(x1) - 1, floor(y0)
    parts = [(first, 1, min(x1, first + 1) - x0), (first + 1, last - first - 1, 1.0), (last, 1, x1 - last)]
    parts = [part for part in (parts if last > first else parts[:1]) if part[1] and part[2] > _LEAST]
    rows = np.arange(top, max(ceil(y1), top + 1))
    high = np.minimum(rows + 1, y1) - np.maximum(rows, y0)
    columns, lengths = (np.tile(np.array([part[i] for part in parts], dtype=np.intp), len(rows)) for i in (0, 1))
    shares = high[:, None] * np.array([part[2] for part in parts])
    return Runs(np.repeat(rows, len(parts)), columns, lengths, shares.reshape(-1))


def _edges(start: Any, end: Any, count: int) -> tuple[Any, Any]:
    """For each stretch the unit cells it passes, down the first axis, and how much of each it takes."""
    cells = np.floor(start).astype(np.intp) + np.arange(max(count, 1))[:, None]
    return cells, np.maximum(np.minimum(cells + 1, end) - np.maximum(cells, start), 0.0)


def around(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    """A circle as corners, so many that no side shows."""
    count = 4 * max(4, floor(2.2 * radius**0.5) + 2)
    angles = np.arange(count) * (2 * np.pi / count)
    # The polygon has the area of the circle.
    reach = radius * float(np.sqrt((2 * np.pi / count) / np.sin(2 * np.pi / count)))
    return list(zip((x + reach * np.cos(angles)).tolist(), (y + reach * np.sin(angles)).tolist(), strict=True))
