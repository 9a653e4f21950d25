"""The bundled typeface, Liberation Sans: the part of it that a document embeds, and the outlines of its letters.

Reads the tables of the TrueType file that a figure needs and no more. Glyph numbers of the file stay inside this
module; the rest of the package speaks of characters. OpenType specification 1.9, chapters cmap, glyf, head, hmtx, loca.
"""

from __future__ import annotations

import os
import struct
from functools import lru_cache
from pathlib import Path

#: The name of the typeface, which ends the usual list of families.
FONT = "Liberation Sans"
#: Where the font files are, for typesetters that read them themselves.
FOLDER = os.path.join(os.path.dirname(__file__), "fonts")
_FILES = {False: "LiberationSans-Regular.ttf", True: "LiberationSans-Bold.ttf"}

# Flags of composite glyphs, and the transformation that follows their offsets: flag -> number of 2.14 values.
_WORDS, _PLACED, _MORE, _INSTRUCTIONS = 0x1, 0x2, 0x20, 0x100
_SCALES = ((0x8, 1), (0x40, 2), (0x80, 4))
# Flags of a point: on the curve, x or y in one byte, repeated, x or y positive (one byte) or as before (two bytes).
_ON, _SHORT_X, _SHORT_Y, _REPEAT, _SAME_X, _SAME_Y = 0x1, 0x2, 0x4, 0x8, 0x10, 0x20
#: A curve is drawn as so many straight lines; at sizes of up to a hundred pixels they cannot be told apart.
_STEPS = 6

#: A point of an outline, in font units: x, y (upwards), whether it lies on the curve.
Point = tuple[float, float, bool]


class Face:
    """One weight of the typeface; ``units`` is the em, and ``box`` that around all glyphs, in font units."""

    def __init__(self, data: bytes) -> None:
        count = struct.unpack_from(">H", data, 4)[0]
        self._tables: dict[str, bytes] = {}
        for i in range(count):
            tag, _, offset, length = struct.unpack_from(">4sLLL", data, 12 + 16 * i)
            self._tables[tag.decode("ascii")] = data[offset : offset + length]
        head = self._tables["head"]
        self.units: int = struct.unpack_from(">H", head, 18)[0]
        self.box: tuple[int, ...] = struct.unpack_from(">4h", head, 36)
        glyphs = struct.unpack_from(">H", self._tables["maxp"], 4)[0]
        long = struct.unpack_from(">h", head, 50)[0]
        loca = struct.unpack_from(f">{glyphs + 1}{'L' if long else 'H'}", self._tables["loca"])
        self._loca = loca if long else [2 * at for at in loca]
        self._glyph_of = _read_cmap(self._tables["cmap"])
        measured = struct.unpack_from(">H", self._tables["hhea"], 34)[0]
        pairs = struct.unpack_from(f">{'Hh' * measured}", self._tables["hmtx"])
        rest = struct.unpack_from(f">{glyphs - measured}h", self._tables["hmtx"], 4 * measured)
        self._advances = [*pairs[::2], *[pairs[-2]] * (glyphs - measured)]
        self._bearings = [*pairs[1::2], *rest]

    def advance(self, character: str) -> int:
        """The advance width, in thousandths of the em."""
        return round(int(self._advances[self._glyph_of.get(ord(character), 0)]) * 1000 / self.units)

    def subset(self, codes: dict[int, str]) -> bytes:
        """A TrueType file with the glyphs of ``codes`` (code 0-255 -> character) alone, unhinted.

        Its character map (platform 1, encoding 0) leads from code to glyph, as PDF asks of a symbolic simple font.
        """
        kept = [0]
        for character in codes.values():
            glyph = self._glyph_of.get(ord(character), 0)
            if glyph not in kept:
                kept.append(glyph)
        for glyph in kept:  # grows while it is walked: parts of composite glyphs come last
            kept += [part for part in self._parts(glyph) if part not in kept]
        new = {glyph: i for i, glyph in enumerate(kept)}
        shapes, loca = b"", [0]
        for glyph in kept:
            shape = self._without_instructions(glyph, new)
            shapes += shape + b"\0" * (-len(shape) % 4)
            loca.append(len(shapes))
        metrics = b"".join([struct.pack(">Hh", self._advances[g], self._bearings[g]) for g in kept])
        map_of_codes = bytes([new[self._glyph_of.get(ord(codes[c]), 0)] if c in codes else 0 for c in range(256)])
        head, hhea, maxp = (bytearray(self._tables[name]) for name in ("head", "hhea", "maxp"))
        struct.pack_into(">L", head, 8, 0)  # the checksum of the whole file, filled in below
        struct.pack_into(">h", head, 50, 1)
        struct.pack_into(">H", hhea, 34, len(kept))
        struct.pack_into(">H", maxp, 4, len(kept))
        struct.pack_into(">H", maxp, 26, 0)  # no instructions
        return _font_file(
            {
                b"cmap": struct.pack(">HHHHL", 0, 1, 1, 0, 12) + struct.pack(">HHH", 0, 262, 0) + map_of_codes,
                b"glyf": shapes,
                b"head": bytes(head),
                b"hhea": bytes(hhea),
                b"hmtx": metrics,
                b"loca": struct.pack(f">{len(loca)}L", *loca),
                b"maxp": bytes(maxp),
            }
        )

    def has(self, character: str) -> bool:
        """Whether the font draws ``character``."""
        return ord(character) in self._glyph_of

    def outline(self, character: str) -> list[list[tuple[float, float]]]:
        """The corners of each closed contour, as shares of the em, y upwards; curves are broken into lines."""
        contours = self._contours(self._glyph_of.get(ord(character), 0))
        return [[(x / self.units, y / self.units) for x, y in _corners(points)] for points in contours if points]

    def _contours(self, glyph: int) -> list[list[Point]]:
        data = self._glyph(glyph)
        if not data:
            return []
        if struct.unpack_from(">h", data)[0] >= 0:
            return _points(data)
        found = []
        for start, flags, part, after in self._components(data):
            dx, dy = struct.unpack_from(">hh" if flags & _WORDS else ">bb", data, start + 4)
            if not flags & _PLACED:
                dx = dy = 0
            values = sum([count for flag, count in _SCALES if flags & flag])
            given = [v / 16384 for v in struct.unpack_from(f">{values}h", data, after - 2 * values)]
            xx, xy, yx, yy = {
                0: (1.0, 0.0, 0.0, 1.0),
                1: (*given, 0.0, 0.0, *given),
                2: (*given[:1], 0.0, 0.0, *given[1:]),
            }.get(values, given)
            for contour in self._contours(part):
                found.append([(xx * x + yx * y + dx, xy * x + yy * y + dy, on) for x, y, on in contour])
        return found

    def _glyph(self, glyph: int) -> bytes:
        return self._tables["glyf"][self._loca[glyph] : self._loca[glyph + 1]]

    def _components(self, data: bytes) -> list[tuple[int, int, int, int]]:
        """Of a composite glyph, each part's (place in ``data``, flags, glyph, place after it)."""
        found, at, flags = [], 10, _MORE
        while flags & _MORE:
            start = at
            flags, part = struct.unpack_from(">HH", data, at)
            at += 8 if flags & _WORDS else 6
            at += sum([2 * values for flag, values in _SCALES if flags & flag])
            found.append((start, flags, part, at))
        return found

    def _parts(self, glyph: int) -> list[int]:
        data = self._glyph(glyph)
        if not data or struct.unpack_from(">h", data)[0] >= 0:
            return []
        return [part for _, _, part, _ in self._components(data)]

    def _without_instructions(self, glyph: int, new: dict[int, int]) -> bytes:
        data = self._glyph(glyph)
        if not data:
            return data
        contours = struct.unpack_from(">h", data)[0]
        if contours >= 0:
            at = 10 + 2 * contours
            length = struct.unpack_from(">H", data, at)[0]
            return data[:at] + b"\0\0" + data[at + 2 + length :]
        parts = self._components(data)
        copy = bytearray(data[: parts[-1][3]])
        for start, flags, part, _ in parts:
            struct.pack_into(">HH", copy, start, flags & ~_INSTRUCTIONS, new[part])
        return bytes(copy)


@lru_cache(2)
def face(bold: bool) -> Face:
    """The regular or the bold weight, read once."""
    return Face(Path(FOLDER, _FILES[bold]).read_bytes())


def _points(data: bytes) -> list[list[Point]]:
    """The contours of a simple glyph."""
    count = struct.unpack_from(">h", data)[0]
    ends = struct.unpack_from(f">{count}H", data, 10)
    at = 10 + 2 * count
    at += 2 + struct.unpack_from(">H", data, at)[0]
    flags: list[int] = []
    while ends and len(flags) <= ends[-1]:
        flag, at = data[at], at + 1
        flags.append(flag)
        if flag & _REPEAT:
            flags += [flag] * data[at]
            at += 1
    columns = []
    for short, same in ((_SHORT_X, _SAME_X), (_SHORT_Y, _SAME_Y)):
        value, column = 0, []
        for flag in flags:
            if flag & short:
                value += data[at] if flag & same else -data[at]
                at += 1
            elif not flag & same:
                value += struct.unpack_from(">h", data, at)[0]
                at += 2
            column.append(value)
        columns.append(column)
    points = [(float(x), float(y), bool(flag & _ON)) for x, y, flag in zip(*columns, flags, strict=True)]
    return [points[start : end + 1] for start, end in zip([0, *[e + 1 for e in ends]], ends, strict=False)]


def _corners(points: list[Point]) -> list[tuple[float, float]]:
    """A contour of quadratic curves as straight lines. Between two points off the curve lies one on it."""
    full: list[Point] = []
    for i, (x, y, on) in enumerate(points):
        px, py, before = points[i - 1]
        if not on and not before:
            full.append(((x + px) / 2, (y + py) / 2, True))
        full.append((x, y, on))
    first = next(i for i, point in enumerate(full) if point[2])
    full = [*full[first:], *full[: first + 1]]
    found: list[tuple[float, float]] = []
    for i, (x, y, on) in enumerate(full):
        if on:
            found.append((x, y))
        else:
            (ax, ay, _), (bx, by, _) = full[i - 1], full[i + 1]
            for step in range(1, _STEPS):
                t = step / _STEPS
                p, q, r = (1 - t) ** 2, 2 * t * (1 - t), t * t
                found.append((p * ax + q * x + r * bx, p * ay + q * y + r * by))
    return found


def _read_cmap(table: bytes) -> dict[int, int]:
    """Character -> glyph, from the Unicode subtable in format 4."""
    count = struct.unpack_from(">H", table, 2)[0]
    records = [struct.unpack_from(">HHL", table, 4 + 8 * i) for i in range(count)]
    start = next(offset for platform, encoding, offset in records if (platform, encoding) == (3, 1))
    segments = struct.unpack_from(">H", table, start + 6)[0] // 2
    at = start + 14
    ends, firsts, deltas, offsets = (
        struct.unpack_from(f">{segments}H", table, at + shift)
        for shift in (0, 2 * segments + 2, 4 * segments + 2, 6 * segments + 2)
    )
    offsets_at = at + 6 * segments + 2
    found = {}
    for i, (first, end, delta, offset) in enumerate(zip(firsts, ends, deltas, offsets, strict=True)):
        for code in range(first, min(end, 0xFFFE) + 1):
            glyph = code
            if offset:
                glyph = struct.unpack_from(">H", table, offsets_at + 2 * i + offset + 2 * (code - first))[0]
                if not glyph:
                    continue
            found[code] = (glyph + delta) & 0xFFFF
    return {code: glyph for code, glyph in found.items() if glyph}


def _font_file(tables: dict[bytes, bytes]) -> bytes:
    """The tables in one file, with the checksums that readers verify."""
    count = len(tables)
    power = 1 << (count.bit_length() - 1)
    out = struct.pack(">LHHHH", 0x10000, count, 16 * power, power.bit_length() - 1, 16 * (count - power))
    at = 12 + 16 * count
    body = b""
    for tag, data in sorted(tables.items()):
        out += struct.pack(">4sLLL", tag, _checksum(data), at + len(body), len(data))
        body += data + b"\0" * (-len(data) % 4)
    whole = bytearray(out + body)
    head = at + sum([len(data) + -len(data) % 4 for tag, data in tables.items() if tag < b"head"])
    struct.pack_into(">L", whole, head + 8, (0xB1B0AFBA - _checksum(bytes(whole))) & 0xFFFFFFFF)
    return bytes(whole)


def _checksum(data: bytes) -> int:
    padded = data + b"\0" * (-len(data) % 4)
    total: int = sum(struct.unpack(f">{len(padded) // 4}L", padded))
    return total & 0xFFFFFFFF
