"""The bytes of an XML file as a tree: bounded, without entities, and repaired where RevMan's users broke it."""

from __future__ import annotations

import re
from html.entities import name2codepoint
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

from balm.vocabulary.problems import InputError, Problem

#: RevMan's own elements nest below 40; what is deeper is not a review.
MOST_DEPTH = 300
#: The largest reviews hold about 300,000 elements.
MOST_ELEMENTS = 1_000_000
#: Repairs listed one by one; further ones are counted.
MOST_LISTED = 100

_TAG = re.compile(r"<(/?)([A-Za-z_][\w.:-]*)((?:\s+[\w:.-]+\s*=\s*(?:\"[^\"]*\"|'[^']*'))*)\s*(/?)>")
_MARKUP = {"<!--": "-->", "<![CDATA[": "]]>", "<?": "?>", "<!DOCTYPE": ">"}
_OPENS = re.compile("|".join(re.escape(opening) for opening in _MARKUP))
_AMPERSAND = re.compile(r"&(?:#(\d{1,7});|#[xX]([0-9a-fA-F]{1,6});|([A-Za-z][A-Za-z0-9]{1,31});)?")
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_DECLARATION = re.compile(r"^\s*<\?xml[^>]*\?>")
_PREDEFINED = {"amp", "lt", "gt", "quot", "apos"}


class _Bounded(TreeBuilder):
    """Builds the tree and stops when it grows deeper or larger than any review."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = self.count = 0

    def start(self, tag: Any, attrs: Any) -> Any:
        """Open an element."""
        self.depth += 1
        self.count += 1
        if self.depth > MOST_DEPTH:
            raise InputError(f"elements nest more than {MOST_DEPTH} deep: this is no RevMan file")
        if self.count > MOST_ELEMENTS:
            raise InputError(f"holds more than {MOST_ELEMENTS:,} elements: this is no RevMan file")
        return super().start(tag, attrs)

    def end(self, tag: Any) -> Any:
        """Close an element."""
        self.depth -= 1
        return super().end(tag)


def parse(data: bytes) -> tuple[Element, list[Problem]]:
    """The root element, and what had to be repaired to read it."""
    try:
        return _tree(data), []
    except ParseError as error:
        first = error
    except (LookupError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        first = ParseError(str(error))
    whole, repairs = decode(data)
    text, more = repair(whole)
    try:
        return _tree(text.encode("utf-8")), [*repairs, *more]
    except ParseError as error:
        line = getattr(error, "position", getattr(first, "position", (None,)))[0]
        if "<COCHRANE_REVIEW" in whole and not re.search(r"</COCHRANE_REVIEW\s*>$", whole.rstrip()[-40:]):
            raise InputError(
                Problem("the file is cut off: it does not end with </COCHRANE_REVIEW>; save it again", line=line)
            ) from None
        what = str(error).split(":")[0]
        raise InputError(Problem(f"cannot be read as XML, line {line}: {what}", line=line)) from None


def _tree(data: bytes) -> Element:
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import DefusedXMLParser

    parser = DefusedXMLParser(target=_Bounded(), forbid_dtd=False, forbid_entities=True, forbid_external=True)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException:
        raise InputError(
            "defines XML entities, which RevMan never does; refused, for they can fill the memory"
        ) from None
    return root


def decode(data: bytes) -> tuple[str, list[Problem]]:
    """The text of ``data``: by its byte-order mark, its declaration, UTF-8, and Windows-1252 in the end."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            return data.decode(encoding, errors="replace"), []
    declared = re.match(rb"""\s*<\?xml[^>]*encoding\s*=\s*["']([\w.:-]+)["']""", data)
    names = [declared.group(1).decode("ascii")] if declared else []
    for name in [*names, "utf-8"]:
        try:
            text = data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        said = [] if name == (names or ["utf-8"])[0] else [Problem(f"is not in {names[0]} as it says; read as {name}")]
        return text, said
    said = names[0] if names else "UTF-8"  # type: ignore[assignment]
    return data.decode("cp1252", errors="replace"), [Problem(f"is not in {said} as it says; read as Windows-1252")]


def repair(text: str) -> tuple[str, list[Problem]]:
    """``text`` with loose ``&`` and ``<``, HTML entities and forbidden characters made readable, and a list of them."""
    repairs: list[Problem] = []
    total = 0

    def note(position: int, reason: str, value: str) -> None:
        nonlocal total
        total += 1
        if total <= MOST_LISTED:
            repairs.append(Problem(reason, line=text.count("\n", 0, position) + 1, value=value))

    text = _DECLARATION.sub(lambda m: "\n" * m.group().count("\n"), text.lstrip("\ufeff"))
    closed = {m.group(2) for m in _TAG.finditer(text) if m.group(1) or m.group(4)}

    def clean(part: str, start: int, in_tag: bool) -> str:
        # a number in an attribute that lost a digit is no number
        put_aside, instead = ("marked as \ufffd", "\ufffd") if in_tag else ("taken out", "")

        def ampersand(m: re.Match[str]) -> str:
            number, hexadecimal, name = m.groups()
            if name in _PREDEFINED:
                return m.group()
            if number or hexadecimal:
                code = int(number) if number else int(hexadecimal, 16)
                if code in (9, 10, 13) or (code >= 32 and code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF):
                    return m.group()
                note(start + m.start(), f"a character XML does not allow was {put_aside}", m.group())
                return instead
            if name in name2codepoint:
                note(start + m.start(), f"&{name}; is HTML, not XML; read as the character", m.group())
                return chr(name2codepoint[name])
            note(start + m.start(), "an & that stands for itself was not written as &amp;", part[m.start() :][:20])
            return "&amp;" + m.group()[1:]

        out = _AMPERSAND.sub(ampersand, part)
        if "<" in out:
            where = "an attribute" if in_tag else "text"
            note(start + part.find("<"), f"a < in {where} was not written as &lt;", part[part.find("<") :][:20])
            out = out.replace("<", "&lt;")
        if FORBIDDEN.search(out):
            note(start, f"characters XML does not allow were {put_aside}", "")
            out = FORBIDDEN.sub(instead, out)
        return out

    pieces: list[str] = []
    at = 0
    for start, end, tag in _kept(text, closed):
        pieces.append(clean(text[at:start], at, in_tag=False))
        if tag is not None and tag.group(3):
            pieces.append(text[start : tag.start(3)])
            pieces.append(clean(tag.group(3), tag.start(3), in_tag=True))
            pieces.append(text[tag.end(3) : end])
        else:
            pieces.append(FORBIDDEN.sub("", text[start:end]))
        at = end
    pieces.append(clean(text[at:], at, in_tag=False))
    if total > MOST_LISTED:
        repairs.append(Problem(f"and {total - MOST_LISTED} repairs more"))
    return "".join(pieces), repairs


Span = tuple[int, int, "re.Match[str] | None"]


def _kept(text: str, closed: set[str]) -> list[Span]:
    """The tags and other markup, in order: a word in angle brackets that is never closed is text."""
    found: list[Span] = [(m.start(), m.end(), m) for m in _TAG.finditer(text) if m.group(2) in closed]
    missing: set[str] = set()
    end = 0
    for m in _OPENS.finditer(text):
        closing = _MARKUP[m.group()]
        if m.start() < end or closing in missing:
            continue
        place = text.find(closing, m.end())
        if place < 0:
            missing.add(closing)  # searched once, not again for every opening
            continue
        end = place + len(closing)
        found.append((m.start(), end, None))
    found.sort(key=lambda span: span[:2])
    kept: list[Span] = []
    end = 0
    for span in found:
        if span[0] >= end:
            kept.append(span)
            end = span[1]
    return kept


def words(element: Element | None) -> str:
    """All text inside an element on its lines: paragraphs and breaks become new lines."""
    if element is None:
        return ""
    out: list[str] = []
    stack: list[tuple[Element, bool]] = [(element, False)]
    while stack:
        node, closing = stack.pop()
        if closing:
            if node.tag in ("P", "BR", "LI", "HEADING", "TR"):
                out.append("\n")
            out.append(node.tail or "")
            continue
        out.append(node.text or "")
        if node is not element:
            stack.append((node, True))
        elif node.tag in ("P", "BR"):
            out.append("\n")
        stack.extend((child, False) for child in reversed(node))
    lines = (" ".join(line.split()) for line in "".join(out).splitlines())
    return "\n".join(line for line in lines if line)
