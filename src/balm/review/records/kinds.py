"""What each format calls a kind of record, and which of our words that is. One table a format; the first row a word
has is the code it is written with."""

from __future__ import annotations

from collections.abc import Iterable

from balm.vocabulary.record import RECORD_TYPES

#: RIS reference types. The first code of a word is the one written.
RIS_TYPES = {
    "JOUR": "article",
    "CPAPER": "conference",
    "CONF": "conference",
    "ABST": "conference",
    "UNPB": "unpublished",
    "GEN": "other",
    "CHAP": "chapter",
    "BOOK": "book",
    "THES": "thesis",
    "RPRT": "report",
    "ELEC": "web page",
    "DATA": "data set",
    "PAT": "patent",
    "MGZN": "magazine article",
    "NEWS": "newspaper article",
    "EJOUR": "article",
    "JFULL": "article",
    "EBOOK": "book",
    "EDBOOK": "book",
    "ECHAP": "chapter",
    "SER": "book",
    "BLOG": "web page",
    "ICOMM": "web page",
    "WEB": "web page",
    "DBASE": "data set",
    "MANSCPT": "unpublished",
    "GOVDOC": "report",
    "STAND": "report",
    "CLSWK": "book",
    "INPR": "article",
    "CTLG": "other",
}
BIBTEX_TYPES = {
    "article": "article",
    "inproceedings": "conference",
    "conference": "conference",
    "proceedings": "conference",
    "unpublished": "unpublished",
    "preprint": "preprint",
    "misc": "other",
    "registration": "registration",
    "incollection": "chapter",
    "inbook": "chapter",
    "book": "book",
    "booklet": "book",
    "collection": "book",
    "phdthesis": "thesis",
    "mastersthesis": "thesis",
    "thesis": "thesis",
    "techreport": "report",
    "report": "report",
    "manual": "report",
    "online": "web page",
    "www": "web page",
    "electronic": "web page",
    "dataset": "data set",
    "patent": "patent",
    "magazine": "magazine article",
    "newspaper": "newspaper article",
}
#: Words that publication types and document types of databases use, in the order they are looked for.
_TYPE_WORDS = (
    ("meeting abstract", "conference"),
    ("conference", "conference"),
    ("proceedings", "conference"),
    ("congress", "conference"),
    ("preprint", "preprint"),
    ("trial registry record", "registration"),
    ("journal article", "article"),
    ("book chapter", "chapter"),
    ("book section", "chapter"),
    ("chapter", "chapter"),
    ("thesis", "thesis"),
    ("dissertation", "thesis"),
    ("newspaper", "newspaper article"),
    ("magazine", "magazine article"),
    ("data set", "data set"),
    ("dataset", "data set"),
    ("patent", "patent"),
    ("web page", "web page"),
    ("webpage", "web page"),
    ("technical report", "report"),
    ("government document", "report"),
    ("unpublished", "unpublished"),
    ("manuscript", "unpublished"),
)
_WHOLE_WORDS = {"book": "book", "edited book": "book", "report": "report", "generic": "other", "journal": "article"}


#: RIS has no code for these; they are written as the nearest one, with a note that says what they are.
_NEAREST_RIS = {"preprint": "UNPB", "registration": "GEN"}
#: Kinds that a publication type (``M3``, ``PT``) tells although the type code says article, or nothing.
_TOLD_BY_TYPE = ("conference", "preprint", "registration")
_TYPE_NOTE = "balm_type: "


def ris_code(word: str) -> str:
    """The RIS type a word is written with."""
    return _RIS_CODE.get(word) or _NEAREST_RIS.get(word, "GEN")


def refined(word: str, publication_types: Iterable[str]) -> str:
    """The kind of a record whose type code is as good as silent, told by its publication types.

    >>> refined("article", ("Conference Abstract",)), refined("book", ("Conference Abstract",))
    ('conference', 'book')
    """
    if word in ("article", "other", "unpublished"):
        for text in publication_types:
            if (told := type_in_words(text)) and told in _TOLD_BY_TYPE:
                return told
    return word


def type_note(word: str, code_word: str, publication_types: Iterable[str]) -> str | None:
    """The note a format needs whose own code (meaning ``code_word``) does not read back as ``word``."""
    return None if refined(code_word, publication_types) == word else _TYPE_NOTE + word


def type_in_notes(notes: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """The kind a :func:`type_note` tells, and the other notes."""
    for note in notes:
        if note.startswith(_TYPE_NOTE) and (word := note.removeprefix(_TYPE_NOTE)) in RECORD_TYPES:
            return word, tuple(n for n in notes if n is not note)
    return None, notes


def bibtex_code(word: str) -> str:
    """The entry type a word is written with."""
    return _BIBTEX_CODE[word]


def type_in_words(text: str) -> str | None:
    """A database's own name of a type as one of our words, ``None`` where it says nothing about the kind.

    >>> type_in_words("Journal Article"), type_in_words("Conference Abstract"), type_in_words("Review")
    ('article', 'conference', None)
    """
    lower = text.lower().strip()
    if lower in _WHOLE_WORDS:
        return _WHOLE_WORDS[lower]
    if lower.replace(" ", "").upper() in RIS_TYPES:
        return RIS_TYPES[lower.replace(" ", "").upper()]
    return next((word for part, word in _TYPE_WORDS if part in lower), None)


def _first_codes(table: dict[str, str]) -> dict[str, str]:
    codes: dict[str, str] = {}
    for code, word in table.items():
        codes.setdefault(word, code)
    return codes


_RIS_CODE = _first_codes(RIS_TYPES)
_BIBTEX_CODE = _first_codes(BIBTEX_TYPES)
