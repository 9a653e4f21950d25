"""Which format a file has, told from its content; its name only settles what the content leaves open."""

from __future__ import annotations

import re

from balm.review.records.decoding import wide_encoding

#: Bytes looked at.
HEAD = 64 * 1024
#: Characters that no text has, but for a few that were pasted.
_CONTROL = bytes((*range(1, 9), *range(14, 27), 28, 29, 30, 31))

# What a line begins with is sought behind the end of the line before it: a search for one sign skips the rest.
_RIS = re.compile(r"\n[ \t]{0,6}TY[ \t]{1,4}-[ \t]*[A-Za-z]*[ \t\d]*$", re.M)
_RIS_TAG = re.compile(r"^(?:TI|T1|AU|A1|AB|N2|PY|Y1|DO|JO|JF|T2) {1,2}- \S", re.M)
_MEDLINE = re.compile(r"\n(?:PMID ?- ?(?:\s*\d|[ \t]*$)|OWN - )", re.M)
#: Tags of four places that no other format has: a MEDLINE export that lost its first lines.
_MEDLINE_TAG = re.compile(r"^(?:FAU |FED |JT  |TA  |DP  |VI  |IP  |PG  |LID |AID |PHST|EDAT|MHDA|CRDT|STAT)- ", re.M)
_WOS = re.compile(r"^(?:FN (?:Clarivate|ISI|Thomson)|VR 1\.0|PT [A-Z]{1,2})\s*$", re.M)
_WOS_HEAD = re.compile(r"\nPT [A-Z]{1,2}[^\S\n]*$", re.M)
# What may repeat is taken whole and never given back: a start of blank lines would cost its length squared.
_BIBTEX = re.compile(r"^[^\S\n]*+@\s*+[A-Za-z]++\s*+[{(]", re.M)
_OVID = re.compile(r"\n<\s*+\d++\s*+(?:\.\s*+)?>[^\S\n]*+$", re.M)
#: Ovid's fields named in words, each above its indented value.
_OVID_WORDS = re.compile(
    r"^(?:Title|Source|Abstract|Authors?|Accession Number|Unique Identifier|Institution|ISSN)[ \t]*\n[ \t]{1,6}\S", re.M
)
#: Comments, instructions and declarations, closed or not.
_NO_ELEMENT = re.compile(r"<!--.*?(?:-->|\Z)|<\?.*?(?:\?>|\Z)|<!.*?(?:>|\Z)", re.S)
_CSL = re.compile(r'"(?:container-title|issued)"\s*:')
#: A record of Cochrane CENTRAL in plain text: its place among all, and its number.
_CENTRAL = re.compile(r"\nRecord #\d+ of \d+[ \t]*\n(?:[ \t]*\n)*ID: ?\S", re.M)
_REFER = re.compile(r"^%(?:0 [A-Z]|[TAB] \S)", re.M)

#: Two cells, whatever is between them; from the first one on and never back, or a long line takes minutes.
_SEVERAL_CELLS = re.compile(r"[,;|\s]*+[^,;|\s][^,;|\t]*+[,;|\t][,;|\s]*+[^,;|\s]")


def recognise(head: bytes, name: str = "") -> str | None:
    """The name of a row of :data:`~balm.review.records.formats.READERS`, or ``None`` for content no reader knows.

    >>> recognise(b"TY  - JOUR\\nTI  - Ketamine\\nER  - \\n", "search.txt")
    'ris'
    >>> recognise(b"\\x7fELF\\x02\\x01\\x01") is None
    True
    """
    if head.startswith(b"PK\x03\x04"):
        return "xlsx" if b"[Content_Types].xml" in head[:4096] or b"xl/" in head or name.endswith(".xlsx") else None
    text = _text(head)
    if text is None:
        return None
    body = text.lstrip("\ufeff \t\r\n")
    if body.startswith("<") and not _OVID.match("\n" + body):
        return _xml(body)
    if body.startswith(("[", "{")) and "protocolSection" not in body and _CSL.search(body):
        return None  # the JSON of citation styles
    if body.startswith(("[", "{")) and (
        "protocolSection" in body or '"studies"' in body or re.match(r'[\[{]\s*[{"\]}]', body)
    ):
        return "clinicaltrials-json"
    first_line = body.split("\n", 1)[0]
    if _SEVERAL_CELLS.match(first_line) and _known(first_line) >= 2:
        return "table"  # whatever its cells hold
    # A pattern looks at every line; whether its word is there at all is known in a hundredth of the time.
    lines = "\n" + text
    found = {
        "ris": len(_RIS.findall(lines)) if "TY" in text else 0,
        "medline": len(_MEDLINE.findall(lines)) if "PMID" in text or "OWN - " in text else 0,
        "wos": len(_WOS_HEAD.findall(lines)) if "PT " in text else 0,
        "ovid": len(_OVID.findall(lines)) if "<" in text else 0,
        "central": len(_CENTRAL.findall(lines)) if "Record #" in text else 0,
    }
    best = max(found, key=lambda k: found[k])
    if found[best] and not (best == "ris" and _quoted(text)):
        return best
    if len(_MEDLINE_TAG.findall(text)) >= 3:
        return "medline"
    if len(_OVID_WORDS.findall(text)) >= 3:
        return "ovid"
    if _WOS.search(text):
        return "wos"
    if _BIBTEX.search(text) and "=" in text:
        return "bibtex"
    if _REFER.search(text) and len(_REFER.findall(text)) >= 2:
        return "refer"
    from balm.review.records.headers import known, looks_like_header  # and the csv module: most exports are no tables
    from balm.review.records.table import delimiter_of

    first = [line for line in re.split(r"\r\n|\n|\r", text) if line.strip()][:40]
    mark = delimiter_of(first)
    if any(looks_like_header(_cells(line, mark)) for line in first):
        return "table"
    if len(_RIS_TAG.findall(text)) >= 2:
        return "ris"
    if name.lower().endswith((".csv", ".tsv")) and first_line and known(_cells(first_line, mark)):
        return "table"
    return None


def _known(line: str) -> int:
    """How many cells of ``line`` are names of columns of records."""
    from balm.review.records.headers import known
    from balm.review.records.table import delimiter_of

    return known(_cells(line, delimiter_of([line])))


def _cells(line: str, mark: str) -> list[str]:
    return [cell.strip().strip('"') for cell in line.split(mark)]


def _quoted(text: str) -> bool:
    """A table whose quoted cells hold RIS text."""
    return text.lstrip("\ufeff")[:1] == '"'


def _text(head: bytes) -> str | None:
    """The head as text, or ``None`` for bytes that are no text in any encoding."""
    head = head[:HEAD]
    wide = wide_encoding(head)
    if wide:
        return head[: len(head) // 4 * 4].decode(wide, errors="replace").replace("\r\n", "\n").replace("\r", "\n")
    control = len(head) - len(head.translate(None, _CONTROL))
    if head.count(0) > 0.02 * len(head) + 4 or control > 0.02 * len(head) + 4:
        return None
    text = head.decode("utf-8-sig", errors="replace")
    if text.count("\ufffd") > 2:
        text = head.decode("cp1252", errors="replace")
    return text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")


def _xml(body: str) -> str | None:
    if "<PubmedArticleSet" in body or "<PubmedArticle" in body or "<PubmedBookArticle" in body:
        return "pubmed-xml"
    if re.search(r"<xml>\s*<records>|<records>|<record>", body):
        return "endnote-xml"
    if "<Trials_downloaded_from_ICTRP" in body:
        return "ictrp-xml"
    root = re.search(r"<([A-Za-z_][\w:.-]*)", _NO_ELEMENT.sub("", body))
    if re.search(r"<!DOCTYPE\s+(?:PubmedArticleSet|PubmedBookArticleSet)", body):
        return "pubmed-xml"
    if root and root[1].lower() in ("xml", "records"):
        return "endnote-xml"
    # A bomb declares its entities before any element: it goes to a reader that refuses it by name.
    return "pubmed-xml" if "<!ENTITY" in body else None
