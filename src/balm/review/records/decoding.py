"""From bytes to lines of text, whatever wrote them: byte order marks, UTF-16, Windows-1252, any line end, NUL bytes.

Works on blocks, so a file of any length is read in constant memory; the encoding is settled line by line: a line that
is not UTF-8 is read as Windows-1252 and counted. Nothing is dropped without a line in the receipt.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import chain
from typing import BinaryIO, TypeVar

from balm.review.records.receipt import Tally
from balm.vocabulary.problems import InputError, Problem

#: Bytes read at once; a block and its lines stay in the processor's cache, which larger ones do not.
BLOCK = 1 << 16
#: A line longer than this is no line of an export (the longest abstract is some 100 kB; a whole table header 1 MB).
MAX_LINE = 32 * 1024 * 1024

Shape = TypeVar("Shape", str, list[str], bytes)

_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMES = {"utf-16": "UTF-16", "utf-32": "UTF-32", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16"}


def wide_encoding(head: bytes) -> str | None:
    """``"utf-16"`` and its kin where the first bytes show it (a mark, or every second byte NUL); else ``None``.

    >>> wide_encoding("TY  - JOUR".encode("utf-16-le"))
    'utf-16-le'
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    sample = head[:4096]
    if len(sample) >= 8 and b"\x00" in sample:
        pairs = len(sample) // 2
        if sample[1::2].count(0) > 0.6 * pairs and sample[::2].count(0) < 0.1 * pairs:
            return "utf-16-le"
        if sample[::2].count(0) > 0.6 * pairs and sample[1::2].count(0) < 0.1 * pairs:
            return "utf-16-be"
    return None


def text_lines(source: BinaryIO, tally: Tally) -> Iterator[str]:
    """Every line of ``source`` without its line end; what had to be repaired goes to ``tally``."""
    return chain.from_iterable(_blocks(source, tally, _as_lines))


def text_blocks(source: BinaryIO, tally: Tally) -> Iterator[str]:
    """The text of ``source`` in pieces of whole lines; every one ends in ``\\n``, save perhaps the last of the file."""
    return _blocks(source, tally, _as_text)


def utf8_blocks(source: BinaryIO, tally: Tally) -> Iterator[bytes]:
    """The same as :func:`text_blocks`, in UTF-8: compiled readers look at bytes, and decode what they keep."""
    return _blocks(source, tally, _as_utf8)


def _blocks(source: BinaryIO, tally: Tally, shape: Callable[[bytes], tuple[Shape, int]]) -> Iterator[Shape]:
    head = source.read(BLOCK)
    wide = wide_encoding(head)
    return _wide_blocks(head, source, wide, tally, shape) if wide else _byte_blocks(head, source, tally, shape)


def _as_lines(block: bytes) -> tuple[list[str], int]:
    lines = lines_of(block.decode())
    return lines, len(lines)


def _as_text(block: bytes) -> tuple[str, int]:
    return block.decode(), _lines_in(block)


def _as_utf8(block: bytes) -> tuple[bytes, int]:
    return block, _lines_in(block)


def _lines_in(block: bytes) -> int:
    return line_ends(block) + (block[-1:] not in (b"\n", b""))


def _line_ends(block: bytes) -> int:
    return block.count(b"\n")


def _is_plain(block: bytes) -> bool:
    if b"\x00" in block or b"\r" in block or codecs.BOM_UTF8 in block:
        return False
    try:
        block.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _without_returns(block: bytes) -> bytes:
    return block.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


#: How many line ends a block has; whether it is UTF-8 and needs no cleaning; and the block with ``\n`` for every
#: ``\r\n`` and ``\r``. Compiled where that was built, as they are asked of every block.
try:
    _compiled = import_module("balm.review.records._whole")
    line_ends: Callable[[bytes], int] = _compiled.line_ends
    is_plain: Callable[[bytes], bool] = _compiled.is_plain
    without_returns: Callable[[bytes], bytes] = _compiled.without_returns
except (ImportError, AttributeError):  # not built, or by an older source
    line_ends, is_plain, without_returns = _line_ends, _is_plain, _without_returns


def lines_of(text: str) -> list[str]:
    """The lines of ``text`` without their ends.

    >>> lines_of("a\\n\\nb\\n")
    ['a', '', 'b']
    """
    lines = text.split("\n")
    if not lines[-1]:
        lines.pop()
    return lines


def _ends(windows: bool) -> str:
    return "Windows line ends (CRLF)" if windows else "line ends are carriage returns alone (CR)"


def _cut(data: bytes) -> int:
    """Where the last whole line ends. A final CR is not an end yet: its LF may be in the next block."""
    return data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, len(data) - 1) + 1


def _byte_blocks(
    head: bytes, source: BinaryIO, tally: Tally, shape: Callable[[bytes], tuple[Shape, int]]
) -> Iterator[Shape]:
    state = _ByteState(tally)
    if head.startswith(codecs.BOM_UTF8):
        head = head[3:]
        tally.repair(1, "byte order mark removed")
    carry, chunk = b"", head
    while chunk:
        data = carry + chunk if carry else chunk
        cut = _cut(data)
        if not cut and len(data) > MAX_LINE:
            raise _too_long(tally.file, state.line)
        if cut:
            block, count = shape(state.cleaned(data[:cut]))
            state.line += count
            yield block
        carry = data[cut:]
        # A line longer than a block is not searched again for every block.
        chunk = source.read(max(BLOCK, len(carry)))
    if carry:
        yield shape(state.cleaned(carry))[0]
    state.close()


class _ByteState:
    """What has been met so far in a stream of bytes that should be UTF-8."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.line = 1
        self.odd = 0
        self.first_odd: int | None = None
        self.nuls = 0
        self.returns = False
        self.first_nul: int | None = None

    def cleaned(self, block: bytes) -> bytes:
        """A block of whole lines in UTF-8, with one kind of line end, without marks and NUL bytes."""
        if is_plain(block):
            return block
        if b"\x00" in block:
            self.first_nul = self.first_nul or self.line + block.count(b"\n", 0, block.index(b"\x00"))
            self.nuls += block.count(b"\x00")
            block = block.replace(b"\x00", b"")
        if b"\r" in block:
            if not self.returns:
                self.returns = True
                self.tally.repair(1, _ends(b"\r\n" in block))
            block = without_returns(block)
        if is_plain(block):
            return block
        text = "\n".join([self._line(at, part) for at, part in enumerate(block.split(b"\n"), self.line)])
        return (self._unmarked(text) if "\ufeff" in text else text).encode()

    def _unmarked(self, text: str) -> str:
        lines = text.split("\n")
        for at, line in enumerate(lines):
            if line.startswith("\ufeff"):
                self.tally.repair(self.line + at, "byte order mark inside the file removed")
                lines[at] = line.lstrip("\ufeff")
        return "\n".join(lines)

    def _line(self, at: int, line: bytes) -> str:
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError:
            self.odd += 1
            self.first_odd = self.first_odd or at
            try:
                return line.decode("cp1252")
            except UnicodeDecodeError:  # five codes that Windows-1252 leaves open
                return line.decode("latin-1")

    def close(self) -> None:
        if self.odd:
            self.tally.encoding = "Windows-1252"
            self.tally.repair(self.first_odd, f"not UTF-8: {self.odd:,} lines read as Windows-1252, from here on")
        if self.nuls:
            self.tally.repair(self.first_nul, f"{self.nuls:,} NUL bytes removed, from here on")


def _wide_blocks(
    head: bytes, source: BinaryIO, encoding: str, tally: Tally, shape: Callable[[bytes], tuple[Shape, int]]
) -> Iterator[Shape]:
    tally.encoding = _NAMES[encoding]
    tally.repair(1, f"{tally.encoding} text, read as such")
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    carry, chunk, damaged, returns = "", head, 0, False

    def cleaned(text: str) -> bytes:
        nonlocal returns
        text = text.removeprefix("\ufeff").replace("\x00", "")
        if "\r" in text:
            if not returns:
                returns = True
                tally.repair(1, _ends("\r\n" in text))
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        return text.encode()

    while True:
        text = decoder.decode(chunk, final=not chunk)
        damaged += text.count("\ufffd")
        data = carry + text
        if not chunk:
            break
        cut = data.rfind("\n") + 1 or data.rfind("\r", 0, len(data) - 1) + 1
        if not cut and len(data) > MAX_LINE:
            raise _too_long(tally.file, None)
        if cut:
            yield shape(cleaned(data[:cut]))[0]
        carry = data[cut:]
        chunk = source.read(max(BLOCK, 2 * len(carry)))
    if data:
        yield shape(cleaned(data))[0]
    if damaged:
        tally.repair(None, f"{damaged:,} characters are damaged and shown as \ufffd")


def _too_long(file: str, line: int | None) -> InputError:
    reason = f"a line is longer than {MAX_LINE // 1024**2} MB: this is not an export of records"
    return InputError(Problem(reason, file=file, line=line))
