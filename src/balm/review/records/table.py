"""CSV, TSV and semicolon tables by the names of their columns, and the rows of a workbook handed over as cells.

Lines before the header (Embase's search query) are found and left out; a table laid out sideways (one field a row, one
record a block) is turned; short and long rows are repaired and listed. A table that :mod:`balm.review.records.writers`
wrote is recognised by its header and read back exactly.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

from balm.review.records.headers import HEADERS, looks_like_header, plain_name
from balm.review.records.identifiers import find_doi
from balm.review.records.kinds import BIBTEX_TYPES, RIS_TYPES, ris_code, type_in_words
from balm.review.records.labels import as_decision
from balm.review.records.own_table import is_own_header, read_own_row
from balm.review.records.receipt import Tally
from balm.review.records.ris_fields import Fields, build
from balm.review.records.wos import is_wos_header, row_as_ris
from balm.vocabulary.longest_cell import longest_cell
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

#: Exports have up to some 120 columns (Zotero 87); a spreadsheet at most 16,384.
MAX_COLUMNS = 2_000
#: A cell longer than this is a quotation mark that was never closed.
MAX_CELL = 8 * 1024 * 1024
#: Rows searched for the header.
HEADER_WITHIN = 40

#: Fields of which nobody writes the value ``NA``; in a column without a field of the model it stays.
_MAY_MISS_TEXT = (
    "AU A2 AB KW PY DA DO PMID VL IS SP EP SN UR T2 JF JO JA J2 LA DB PB AN M3 CY AD N1 C2 TT"  # and not the title
)
_MAY_MISS = frozenset(_MAY_MISS_TEXT.split())
_INITIALS = re.compile(r"(?:[A-ZÀ-Þ]\.?[ -]?){1,5}(?:,? (?:Jr|Sr|II|III)\.?)?$")
_SURNAME_INITIALS = re.compile(r"[^,;]{2,60}\s(?:[A-ZÀ-Þ]\.?-?\s?){1,5}(?:\s?(?:Jr|Sr|2nd|3rd|II|III)\.?)?$")
#: A name with its initials before it, as Google Scholar gives them.
_INITIALS_SURNAME = re.compile(r"(?:[A-ZÀ-Þ]\.?[ -]?){1,5}\s[^\W\d_][^,;.]*$")
#: Where a list of names breaks off: Google Scholar's mark and BibTeX's.
_AND_OTHERS = frozenset({"...", "\u2026", "others", "et al", "et al."})
#: Initials without points and then one: the end of PubMed's list of authors.
_PUBMED_END = re.compile(r"[^\W\d_][^.,]*\s[A-ZÀ-Þ]{2,5}\.$")
#: Values of a column of kinds that are a kind of their own: ours for what is none of the others.
_NO_KIND = frozenset({"other", "others", "miscellaneous", "unknown", "paratext", "component"})
#: Fields of whole numbers, which tables made in Python write as ``31.0`` where a row has none.
_WHOLE_NUMBERS = frozenset({"DO", "ID", "PY", "PMID", "VL", "IS", "SP", "EP"})
#: A day without marks, as EBSCO and ICTRP give it.
_DAY = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_PUBMED_UNTIL_2020 = {"Description": "AU", "Details": "SOURCE", "EntrezUID": "PMID", "Type": "column Type"}
#: What tables of the R package bibliometrix call by the tags of Web of Science, from whatever database they came.
_OF_BIBLIOMETRIX_TEXT = "DI:DO DE:KW ID:KW DT:M3 UT:AN C1:AD JI:J2 BP:SP EP:EP PM:PMID SN:SN DB:DB PU:PB"
_OF_BIBLIOMETRIX: dict[str, str] = dict(pair.split(":") for pair in _OF_BIBLIOMETRIX_TEXT.split())
#: An address within PubMed, as its tables had it.
_WITHIN_PUBMED = re.compile(r"/pubmed/(\d{1,8})", re.ASCII)
_PUBMED_SOURCE = re.compile(
    r"(?P<journal>[^.]+)\. (?P<date>\d{4}[^;.:]*)(?:;(?P<volume>[^(:.]*))?"
    r"(?:\((?P<issue>[^)]*)\))?(?::(?P<pages>[^.]+))?\."
)
_EMBASE_SOURCE = re.compile(
    r"(?P<journal>.+?) \((?P<date>\d{4})\) (?P<volume>[^:( ]*)(?::(?P<issue>[^( ]*))? ?(?:\((?P<pages>[^)]*)\))?"
)


#: Names of columns take no more characters; a longer line is a row, and a cell in it may be beyond the module's limit.
LONGEST_HEADER = 100_000


def read(lines: Iterable[str], tally: Tally) -> Iterator[Record]:
    """Every row of a delimited table."""
    tally.format = "table (CSV)"
    yield from read_rows(_rows(lines, tally), tally)


def delimiter_of(lines: Sequence[str]) -> str:
    """The mark between cells: the one that splits the header into the most known columns.

    >>> delimiter_of(["title;abstract;doi", "a;b;c"])
    ';'
    """
    best, most = ",", 0
    for line in lines:
        for mark in ",;\t|":
            if line.count(mark):
                cells = next(csv.reader([line[:LONGEST_HEADER]], delimiter=mark), [])
                tags = sum(plain_name(c) in HEADERS for c in cells)
                if tags > most:
                    best, most = mark, tags
    if not most and lines:
        best = max(",;\t", key=lambda m: max(line.count(m) for line in lines))
    return best


def _rows(lines: Iterable[str], tally: Tally) -> Iterator[tuple[int, int, list[str]]]:
    """``(first line, last line, cells)`` of every row. The csv module's limit is set around each row only."""
    iterator = iter(lines)
    first: list[str] = []
    for line in iterator:
        first.append(line)
        if len(first) >= HEADER_WITHIN:
            break
    if any(len(line) > MAX_CELL for line in first):
        raise _too_wide(tally)
    mark = delimiter_of([line for line in first if line.strip()][:HEADER_WITHIN])
    if mark == "\t":
        tally.format = "table (TSV)"

    def ended() -> Iterator[str]:
        for line in first:
            yield line + "\n"
        for line in iterator:
            yield line + "\n"

    reader = csv.reader(ended(), delimiter=mark)
    while True:
        start = reader.line_num + 1
        try:
            with longest_cell(MAX_CELL):
                cells = next(reader, None)
        except csv.Error as error:
            why = "a quotation mark opens here and is not closed; nothing after it could be read"
            tally.reject(start, why if "limit" in str(error) else f"the row cannot be read ({error})")
            return
        if cells is None:
            return
        yield start, reader.line_num, cells


def _too_wide(tally: Tally) -> InputError:
    return InputError(Problem(f"has more than {MAX_COLUMNS:,} columns: this is no table of records", file=tally.file))


def read_rows(rows: Iterable[tuple[int, int, list[str]]], tally: Tally) -> Iterator[Record]:
    """The records of rows of cells, the header among the first :data:`HEADER_WITHIN`."""
    iterator = iter(rows)
    before: list[tuple[int, int, list[str]]] = []
    header: list[str] | None = None
    for row in iterator:
        if len(row[2]) > MAX_COLUMNS:
            raise _too_wide(tally)
        # A word alone is a header where the table begins, and a line of a list elsewhere.
        if looks_like_header(row[2]) and (not before or sum(map(bool, map(str.strip, row[2]))) > 1):
            header = [c.strip() for c in row[2]]
            break
        if any(c.strip() for c in row[2]):
            before.append(row)
        if len(before) >= HEADER_WITHIN:
            break
    if header is None:
        raise InputError(
            Problem(
                "has no header that names a title, an abstract or other fields of records; "
                "the first row must hold the names of the columns, such as title, authors, year, doi",
                file=tally.file,
            )
        )
    turned = _sideways(header, before, iterator)
    if turned is not None:
        tally.repair(1, "the table is laid out sideways; rows and columns were turned")
        header, iterator, before = turned
    for start, _, cells in before:
        tally.repair(start, "text before the table left out", repr(" ".join(cells).strip()[:60]))
    if is_own_header(header):
        for start, end, cells in iterator:
            if any(cells):
                yield from read_own_row(header, cells, tally, start, end)
        return
    columns = _columns(header)
    of_wos = is_wos_header(header)
    if of_wos:
        tally.format = "Web of Science, table"
    width = len(header)
    for start, end, cells in iterator:
        if not any(c.strip() for c in cells):
            continue
        if len(cells) < width:
            if len(cells) < width // 2 and end - start > 200:
                tally.reject(start, "a quotation mark opens here and is not closed", "\n".join(cells))
                continue
            if len(cells) == 1 and width > 2:
                tally.reject(start, "the row is one cell: a heading between rows, or damage", cells[0])
                continue
            tally.repair(start, "the row has fewer cells than the header", f"{len(cells)} of {width}")
        if "NA" in cells and (
            missing := {at for at, tag in columns[: len(cells)] if cells[at] == "NA" and tag in _MAY_MISS}
        ):
            tally.repair(start, "NA, as R writes what is missing, is read as not said")
            cells = ["" if at in missing else cell for at, cell in enumerate(cells)]
        fields = row_as_ris(header, cells) if of_wos else _fields(columns, header, cells, tally)
        extra = [c.strip() for c in cells[width:] if c.strip()]
        if extra:
            tally.repair(start, "the row has more cells than the header", f"{len(cells)} for {width}")
            fields["further cells"] = extra
        if not fields:
            tally.reject(start, "the row holds no field of a record", " ".join(cells))
            continue
        yield from build(fields, tally, start, end, ended=True, head=True)


def _sideways(
    header: list[str], before: list[tuple[int, int, list[str]]], rows: Iterator[tuple[int, int, list[str]]]
) -> tuple[list[str], Iterator[tuple[int, int, list[str]]], list[tuple[int, int, list[str]]]] | None:
    """A table with one field a row: the first cell names the field, and it is the only name in its row."""
    names = [plain_name(c) in HEADERS for c in header if len(c) < 80]
    if len(header) < 2 or sum(names) != 1 or names[:1] != [True]:
        return None
    body = [row for row in rows if any(c.strip() for c in row[2])]
    first = [row[2][0] for row in body if row[2]]
    if sum(plain_name(c) in HEADERS for c in first) < max(2, len(first) // 3):
        return (header, iter(body), before)
    table = [(0, 0, header), *body]
    blocks: list[dict[str, str]] = []
    names_seen: list[str] = []
    width = max(len(r[2]) for r in table)
    for _, _, cells in table:
        name = cells[0].strip()
        if plain_name(name) == plain_name(header[0]) or not blocks:
            blocks.extend({} for _ in range(width - 1))
        if name not in names_seen:
            names_seen.append(name)
        for at, cell in enumerate(cells[1:], -(width - 1)):
            if cell.strip():
                blocks[at][name] = cell
    made = [(n, n, [b.get(name, "") for name in names_seen]) for n, b in enumerate(blocks, 1) if b]
    return names_seen, iter(made), before


def _columns(header: list[str]) -> list[tuple[int, str]]:
    """``(position, tag)``; a column without a tag keeps its own name."""
    columns: list[tuple[int, str]] = []
    # What ASReview decided outranks the labels its data came with.
    decided = any(plain_name(name) == "asreview label" for name in header)
    labelled = any(HEADERS.get(plain_name(n)) == "LABEL" and plain_name(n) != "label" for n in header)
    for at, name in enumerate(header):
        plain = plain_name(name)
        tag = HEADERS.get(plain, "")
        if tag == "LABEL" and (plain != "asreview label" if decided else labelled and plain in ("label", "decision")):
            tag = ""
        columns.append((at, tag or (name if len(name) > 2 else f"column {name or at + 1}")))
    tags = [tag for _, tag in columns]
    if {"ShortDetails", "EntrezUID"} <= set(header):  # PubMed's table until 2020
        columns = [(at, _PUBMED_UNTIL_2020.get(header[at], tag)) for at, tag in columns]
    if {"AU", "TI", "SO"} <= set(header) and {"DE", "DI", "UT"} & set(header):
        columns = [(at, _OF_BIBLIOMETRIX.get(header[at], tag)) for at, tag in columns]
    if "OFFICIAL" in tags:
        columns = [(at, "TI" if t == "OFFICIAL" else "public title" if t == "TI" else t) for at, t in columns]
    return columns


def row_fields(header: list[str], cells: list[str], tally: Tally) -> Fields:
    """One row with a header of its own, as RIS fields."""
    return _fields(_columns(header), header, cells, tally)


def _fields(columns: list[tuple[int, str]], header: list[str], cells: list[str], tally: Tally) -> Fields:
    fields: Fields = {}
    groups: list[str] = []  # authors that are no persons
    article: list[tuple[str, str]] = []  # what stands for the pages where there are none
    for at, tag in columns:
        if at >= len(cells):
            break
        text = cells[at].strip()
        if not text:
            continue
        if tag == "AU":
            if "AU" in fields:
                # Scopus gives the same people twice; full names ("Liu, Fengyuan (60410297700)") are the better ones.
                full = [re.sub(r"\s*\(\d+\)$", "", name) for name in split_names(text)]
                if len(full) >= len(fields["AU"]):
                    fields["AU"] = full
                    continue
                fields.setdefault(header[at], []).append(text)
            else:
                fields["AU"] = split_names(text)
        elif tag == "A2":
            fields["A2"] = split_names(text)
        elif tag == "GROUP":
            groups = [name.strip() for name in re.split(r"[;|]", text) if name.strip()]
        elif tag == "KW":
            mark = next((m for m in (";", "|", "\n", ",") if m in text), ";")
            fields.setdefault("KW", []).extend([*(p.strip() for p in text.split(mark)), ""])
        elif tag == "KIND":
            if told := type_in_words(text) or RIS_TYPES.get(text.upper()) or BIBTEX_TYPES.get(text.lower()):
                fields["TY"] = [ris_code(told)]
            else:  # that it is a review, a letter or a PDF says nothing of the kind
                fields["TY"] = ["GEN" if text.lower() in _NO_KIND else ""]
                fields.setdefault(header[at], []).append(text)
        elif tag == "LABEL":
            if decision := as_decision(text):
                note = {"include": "ASReview_relevant", "exclude": "ASReview_irrelevant"}.get(decision, "balm_maybe")
                fields.setdefault("N1", []).append(note)
            if not decision:
                fields.setdefault(header[at], []).append(text)
        elif tag == "SOURCE":
            _source(fields, text, header[at])
        elif tag == "NCT":
            fields.setdefault("U2", []).extend(p.strip() for p in re.split(r"[;|]", text) if p.strip())
        elif tag == "ART":
            article.append((header[at], text))
        elif tag == "DAY":
            fields.setdefault(header[at], []).append(text)
        elif tag == "UR" and (found := _WITHIN_PUBMED.fullmatch(text)):
            fields.setdefault("UR", []).append(f"https://pubmed.ncbi.nlm.nih.gov/{found[1]}/")
            fields.setdefault("PMID", [found[1]])
        elif tag == "PMID" and fields.get("PMID") == [text.removesuffix(".0")]:
            continue
        elif tag == "AN" and "AN" in fields:
            fields.setdefault("U2", []).append(text)
        elif tag == "UR":
            fields.setdefault("UR", []).extend(text.split(" ; ") if " ; " in text else [text])
        elif tag in _WHOLE_NUMBERS and text.endswith(".0") and text[:-2].isdigit():
            fields.setdefault(tag, []).append(text[:-2])
        elif tag == "AB":
            fields.setdefault("AB", []).append(text.replace("\r\n", "\n").replace("\r", "\n"))
        elif tag == "DA" and _DAY.fullmatch(text):
            fields.setdefault("DA", []).append(f"{text[:4]}-{text[4:6]}-{text[6:]}")
        elif tag == "M3":
            fields.setdefault("M3", []).extend(p.strip() for p in re.split(r"[;|]", text))
        elif tag == "AN" and "AN" not in fields and (text[:3].upper() == "NCT" or plain_name(header[at]) == "trialid"):
            fields["AN"] = [text]
            fields.setdefault("M3", []).append("Trial registry record")
            if text[:3].upper() == "NCT":
                fields.setdefault("T2", ["ClinicalTrials.gov"])
        elif tag == "SP":
            fields.setdefault("SP", []).append(text.replace("--", "-"))  # tables made from BibTeX
        else:
            fields.setdefault(tag, []).append(" ".join(text.split()) if "\n" in text and tag != "N1" else text)
    if fields.get("AU") and fields["AU"][-1] in _AND_OTHERS and len(fields["AU"]) > 1:
        fields["AU"].pop()
        fields.setdefault("authors", []).append("\u2026")
    if groups:
        fields.setdefault("AU", []).extend(groups)
    if "TY" not in fields and (told := next(filter(None, map(type_in_words, fields.get("M3", ()))), None)):
        fields["TY"] = [ris_code(told)]
    for name, text in article:
        if "SP" not in fields:
            fields["SP"] = [text]
        elif text not in fields["SP"][0]:
            fields.setdefault(name, []).append(text)
    if "TI" not in fields and "public title" in fields:  # a register that gives no scientific one
        fields["TI"] = fields.pop("public title")
    if "DO" not in fields and "SOURCE TEXT" in fields and (doi := find_doi(fields["SOURCE TEXT"][0])):
        fields["DO"] = [doi]
    fields.pop("SOURCE TEXT", None)
    return fields


def _source(fields: Fields, text: str, name: str) -> None:
    """A citation in one cell: journal, year, volume, issue and pages where they can be told apart."""
    found = _PUBMED_SOURCE.match(text) or _EMBASE_SOURCE.match(text)
    if found is None:
        fields.setdefault("T2" if "T2" not in fields and len(text) < 120 else name, []).append(text)
        return
    fields.setdefault(name if len(name) > 2 else f"column {name}", []).append(text)
    fields["SOURCE TEXT"] = [text]
    for group, tag in (("journal", "T2"), ("date", "PY"), ("volume", "VL"), ("issue", "IS"), ("pages", "SP")):
        value = (found[group] or "").strip()
        if value and tag not in fields:
            fields[tag] = [value]


def split_names(text: str) -> list[str]:
    """The names in one cell, whatever separates them.

    >>> split_names("Griffin DK, Larkin DM, O'Connor RE."), split_names("Yang, Z. and Jiang, B.")
    (['Griffin DK', 'Larkin DM', "O'Connor RE"], ['Yang, Z.', 'Jiang, B.'])
    >>> split_names("Smith, J., Doe, K. L."), split_names("Smith, John")
    (['Smith, J.', 'Doe, K. L.'], ['Smith, John'])
    >>> split_names("Lynch ME."), split_names("Liu R., Adler D.G."), split_names("Doe J, Roe K.")
    (['Lynch ME'], ['Liu R.', 'Adler D.G.'], ['Doe J', 'Roe K'])
    >>> split_names("A Doe, BC Roe, ..."), split_names("Jane Doe, Ann B. Roe")
    (['A Doe', 'BC Roe', '...'], ['Jane Doe, Ann B. Roe'])
    """
    text = " ".join(text.split())
    for mark in (";", "|", " and "):
        if mark in text:
            return [name.strip() for name in text.split(mark) if name.strip()]
    if "," not in text:
        return [text[:-1] if _PUBMED_END.search(text) else text]
    parts = [p.strip() for p in text.split(",") if p.strip()]
    if len(parts) > 1 and all(_SURNAME_INITIALS.match(p.rstrip(".") if " " in p else p) for p in parts):
        last = parts[-1]
        if _PUBMED_END.search(last) or (last[-1] == "." and "." not in "".join(parts[:-1]) + last[:-1]):
            parts[-1] = last[:-1]
        return parts
    if len(parts) > 1 and all(map(_INITIALS_SURNAME.match, parts[:-1] if parts[-1] in _AND_OTHERS else parts)):
        return parts
    if len(parts) > 2 and len(parts) % 2 == 0 and all(_INITIALS.match(p) for p in parts[1::2]):
        return [f"{a}, {b}" for a, b in zip(parts[::2], parts[1::2], strict=True)]
    return [text]
