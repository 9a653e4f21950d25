"""Read a PDF in a process of its own, with bounds: a file that is broken or made to harm takes nothing else down.

``python -m balm.actions.team.pdf_pages`` reads a PDF from standard input and writes JSON lines: the number of pages,
then the text of each page.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass

from balm.vocabulary.problems import InputError

#: The largest file, in bytes; the most pages; seconds of reading text; seconds in all; bytes of memory.
MAX_FILE, MAX_PAGES, TEXT_TIME, ALL_TIME, MEMORY = 50 * 1024**2, 5000, 12, 25, 2 * 1024**3
#: Characters kept of one page, and of all of them.
MAX_PAGE_TEXT, MAX_TEXT = 50_000, 5_000_000
LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class Pages:
    """The number of pages, and what each of them says: empty where it is a scan, or reading took too long."""

    count: int
    texts: tuple[str, ...]


def read_pdf(data: bytes) -> Pages:
    """The pages of a PDF; :class:`InputError` in one sentence for whatever is no PDF that people can open."""
    if not data:
        raise InputError("the file is empty")
    if len(data) > MAX_FILE:
        raise InputError(f"the file holds {len(data) / 1024**2:,.0f} MB; at most {MAX_FILE // 1024**2} MB are taken")
    if b"%PDF-" not in data[:1024]:
        looks = "a web page" if data[:2048].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")) else ""
        raise InputError(f"the file is not a PDF{f'; it is {looks}' if looks else ''}. Download the PDF itself")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "balm.actions.team.pdf_pages"],
            input=data, capture_output=True, timeout=ALL_TIME, check=False,
        )  # fmt: skip
        lines = done.stdout.split(b"\n")
    except subprocess.TimeoutExpired as late:
        lines = (late.stdout or b"").split(b"\n")
    told = [json.loads(line) for line in lines[:-1]]  # what follows the last line feed is cut short
    if not told:
        raise InputError("the PDF is broken: its pages cannot be read. Open it in a viewer and save it again")
    if told[0] == LOCKED:
        raise InputError("the PDF is encrypted: it opens with a password only. Save it without one")
    count = int(told[0])
    if count < 1:
        raise InputError("the PDF holds no page")
    if count > MAX_PAGES:
        raise InputError(f"the PDF holds {count:,} pages; at most {MAX_PAGES:,} are taken")
    texts = [str(text) for text in told[1 : count + 1]]
    return Pages(count, (*texts, *[""] * (count - len(texts))))


def clean(text: str) -> str:
    """Text that every database keeps: no NUL, no half of a surrogate pair.

    >>> clean("a\\x00b\\ud800")
    'ab?'
    """
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _bound() -> None:
    try:
        import resource
    except ImportError:  # not on this system; the time limit of the parent stays
        return
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (ALL_TIME, ALL_TIME))


def _say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Write what standard input holds; the exit code is 1 where it cannot be read."""
    import io
    import logging

    from pypdf import PdfReader

    logging.disable(logging.CRITICAL)
    _bound()
    try:
        reader = PdfReader(io.BytesIO(sys.stdin.buffer.read()), strict=False)
        if reader.is_encrypted and not _opens(reader):
            _say(LOCKED)
            return 0
        count = len(reader.pages)
        if count:
            _ = reader.pages[0].mediabox  # a page that is there in name only
        _say(count)
    except Exception:  # whatever a broken file does to the reader: it is broken
        return 1
    left, until = MAX_TEXT, time.monotonic() + TEXT_TIME
    for page in reader.pages[:MAX_PAGES] if count <= MAX_PAGES else ():
        if left <= 0 or time.monotonic() > until:
            break
        try:
            text = clean(page.extract_text())[: min(MAX_PAGE_TEXT, left)]
        except Exception:  # one page that cannot be read does not hide the others
            text = ""
        left -= len(text)
        _say(text)
    return 0


def _opens(reader: object) -> bool:
    """Whether it opens without a password, as files do that only forbid printing or copying."""
    try:
        return bool(reader.decrypt(""))  # type: ignore[attr-defined]
    except Exception:  # a cipher nobody here knows
        return False


if __name__ == "__main__":
    raise SystemExit(main())
