"""What a title says without case, accents, markup and the remarks of databases, and what kind of thing it is.

Letters of every script are kept: a rule that knows only a-z leaves nothing of a Cyrillic or Chinese title, and all such
records would look alike.
"""

from __future__ import annotations

import re
import unicodedata
from html import unescape
from typing import Final

_GREEK = str.maketrans(
    {
        letter: name
        for names, letters in (
            ("alpha beta gamma delta epsilon zeta eta theta iota kappa", "αβγδεζηθικ"),
            ("lambda mu nu xi omicron pi rho sigma tau", "λμνξοπρστ"),
            ("upsilon phi chi psi omega sigma mu", "υφχψωςµ"),
        )
        for letter, name in zip(letters, names.split(), strict=True)
    }
    | {"ß": "ss", "ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "ı": "i", "’": "'", "‘": "'"}
)  # fmt: skip
#: Accents and other marks that stand over a letter, after decomposition.
_MARKS = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+")
_TAG = re.compile(r"<[^<>]{1,60}>")
#: A letter that some program could not write (``fran?ais``); the word stays one word.
_LOST_LETTER = re.compile(r"(?<=[^\W\d_])\?(?=[^\W\d_])")
_NOT_WORD = re.compile(r"[\W_]+")
#: Of ASCII text everything but letters and digits becomes a blank: many times faster than a pattern.
_BLANKED = {code: " " for code in range(128) if not chr(code).isalnum()}
_LANGUAGES = (
    "japanese|german|french|spanish|italian|chinese|russian|polish|portuguese|dutch|danish|swedish|norwegian|finnish|"
    "hungarian|czech|turkish|korean|hebrew|ukrainian|croatian|serbian|bulgarian|romanian|greek|persian|arabic"
)
#: Remarks on the same report that a database adds to its title.
_REMARK = re.compile(
    r"\s*(?:"
    r"[\[(](?:see comments?|comments?|in process citation|(?:provisional )?abstract(?: no\W*\w+)?|"
    r"(?:systematic )?review|\d+ ref\w*|review(?: \d+ ref\w*)?|letter|editorial|reprint|"
    rf"(?:article in |in )?(?:{_LANGUAGES})(?:, english)?)\.?[\])]"
    r"|[\[(](?:published )?(?:errat|corrig|correct|retract|comment|update)\w*(?: has been)?"
    r" (?:appears? |published )?in\b.*"
    r")\s*\.?\s*$"
)
_RETRACTED = re.compile(r"^\W*retracted(?: article| paper)?\W+|\W+retracted(?: article)?\W*$")
#: The report a letter speaks of, appended by CINAHL: ``... N Engl J Med. 2009 Jan 29;360(5):544-6``.
_CITED = re.compile(r"\s*(?:\.\s?\.\s?\.|…)\s*[^.…][^…]{2,80}\d{4}[^;…]{0,12};\s*\d+[^…]{0,30}$")
#: What a notice is about, as Web of Science names it; and the word that makes it a notice.
_ABOUT = re.compile(r"\s*\(vol\.? ?\d+[^()]*\)\W*$|\s*\((?:[^()]|\([^()]*\)){0,160}(?:\d{4}|\(\w+)[^()]*\)?\W*$")
_NOTICE = re.compile(
    r"^\W*(?:published |author'?s? |publisher'?s? )?"
    r"(?:(?:erratum|errata|corrigend\w+)\b(?: (?:to|for|in)\b)?|corrections?(?: to\b|(?=\W*:)))\W*"
)
_CUT = re.compile(r"(?:\.\s?\.\s?\.|…)\s*$")

#: Kinds of title that are never the same report as the one they speak of.
ERRATUM, REPLY, WITHDRAWN = 1, 2, 4
_ERRATUM = re.compile(
    r"^\W*(?:erratum|errata|corrigend|correction\b|corrections\b|author'?s? correction|publisher'?s? correction|"
    r"addendum|retraction\b|notice of retraction|expression of concern|retraction notice|"
    r"fe de erratas?\b|correccion(?:es)?\b\W*(?:a|de|:)|berichtigung|korrektur\b\W*(?:zu|:)|korrigend|rettifica)"
    r"|[\[(:.\-]\s*(?:erratum|corrigendum|correction|addendum|retraction)\b(?! (?:of|for|in|with|by)\b)"
    r"|\b(?:erratum|corrigendum|correction|retraction) (?:to|notice)\b|\(vol\.? ?\d+"
    r"|\([^()]+\(\d{4}\) ?\d+(?:[:.,] ?\d+)? ?\([^()]*\d[^()]*\)[^()]*\)\W*$"  # the paper, as Embase and Scopus cite it
)
_REPLY = re.compile(
    r"^\W*(?:reply|re\b\s*:|response to|comments? on|commentary on|commentary\s*:|comment\s*:|letter to|in reply|"
    r"in response|"
    r"author'?s'? (?:reply|response)|the authors? (?:reply|respond)|invited comment|discussion of|discussion\s*:|"
    r"editorial comment|rejoinder|letter\s*:|"
    r"reponse (?:a|au|aux)\b|commentaires? (?:sur|de|a)\b|respuesta (?:a|al)\b|comentarios? (?:a|al|sobre)\b|"
    r"antwort (?:auf|zu)\b|erwiderung|kommentar zu|leserbrief|replik|risposta a|commento (?:a|al|su)\b|reactie op)"
    r"|[\[(:.\-?!]\s*(?:(?:the )?author'?s'? )?"
    r"(?:reply|response|rejoinder|in reply|invited commentary|commentary|comments?)\W*$"
)
#: Without one of these the searches above find nothing; asking for a part is many times faster.
_ERRATUM_PARTS = (
    "errat", "corrig", "correc", "addend", "retract", "concern", "(vol", "bericht", "korr", "rettif", "))",
)  # fmt: skip
_REPLY_PARTS = (
    "repl", "re:", "re :", "respon", "respu", "repon", "comment", "coment", "komment", "letter", "discuss", "rejoind",
    "antwort", "erwider", "leserbrief", "rispost", "reactie",
)  # fmt: skip
_WITHDRAWN = re.compile(r"^\W*withdrawn\b|\bwithdrawn\W*$")

#: Titles that come back with every issue or meeting, by the same hands.
RECURRING = 1024
_RECURRING = re.compile(
    r"^\W*(?:(?:guest |invited )?editorial|editors?'?s?'? |from the editor|preface|foreword|"
    r"introduction to (?:the |this )?"
    r"(?:special|mini ?track|issue|section|theme|symposium|proceedings)|introduction\W*$|in this issue|book reviews?|"
    r"(?:letter|message|note) from|annual report|news\b|abstracts (?:of|from|presented)|proceedings of|minutes of|"
    r"call for papers|table of contents|(?:front|back) ?matter\b|masthead\b|index\b|"
    r"obituary|in memoriam|correspondence\W*$|reviewers?\b|acknowledge?ment|"
    r"minitrack|panel\b|conference (?:report|announcement)|questions and answers)"
)

_ROMAN: Final = {
    "i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10, "xi": 11, "xii": 12,
}  # fmt: skip
_WORDS: Final = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "first": 1, "second": 2, "third": 3}
_ANY_DIGIT = re.compile(r"\d")
#: Without a digit or one of these words a title has no number: spares the search in most of them.
_HINTS = frozenset({*_ROMAN, *_WORDS, "part", "pt", "b", "c", "d", "e", "f"})
_NUMBER = re.compile(
    r"(?P<label>\b(?:part|pt|type|class|phase|stage|grade|group|factor|study|experiment|paper|chapter|volume|section|"
    r"module|report|trial|level|no)) (?P<after>[ivx]{1,4}|one|two|three|four|five|[a-f])(?= |$)"
    r"|(?P<digits>\d+)|(?<![^ ])(?P<roman>ii|iii|iv|vi|vii|viii|ix|xi|xii)(?= |$)|(?<= )(?P<last>[ivx])$"
)


def folded(text: str) -> str:
    """Lower case without accents and markup; letters of all scripts stay.

    >>> folded("<i>Ménière</i> &amp; β-blockers")
    'meniere & beta-blockers'
    """
    if "<" in text:
        text = _TAG.sub("", text)
    if "&" in text:
        text = unescape(text)
    text = text.lower()
    if "?" in text:
        text = _LOST_LETTER.sub("", text)
    if not text.isascii():
        text = _MARKS.sub("", unicodedata.normalize("NFKD", text))
        if not text.isascii():
            text = text.translate(_GREEK)
    return text


def words(text: str) -> str:
    """The words of a folded text with one blank between them."""
    if text.isascii():
        return " ".join(text.translate(_BLANKED).split())
    return _NOT_WORD.sub(" ", text).strip()


def _holds(text: str, parts: tuple[str, ...]) -> bool:
    for part in parts:  # noqa: SIM110 - a generator costs more than the search
        if part in text:
            return True
    return False


def read_title(title: str) -> tuple[str, int, bool]:
    """``(words, kind flags, cut off)`` of a title.

    >>> read_title("Ketamine for pain [German]")
    ('ketamine for pain', 0, False)
    >>> read_title("Erratum: Ketamine for pain...")
    ('erratum ketamine for pain', 1, True)
    """
    text = folded(title)
    text = text.strip('"\u201c\u201d ')
    if "[" in text or "(" in text:
        while (shorter := _REMARK.sub("", text)) != text and shorter.strip():
            text = shorter
    cut = False
    if ";" in text:
        text = _CITED.sub("", text)
    if text.endswith((".", "…", " ")) and (found := _CUT.search(text)):
        text, cut = text[: found.start()], True
    if "retracted" in text:
        text = _RETRACTED.sub("", text)
    flags = 0
    if _holds(text, _ERRATUM_PARTS) and _ERRATUM.search(text):
        flags |= ERRATUM
        if _NOTICE.search(text) or "(vol" in text or "))" in text:  # one spelling of all notices on one report
            text = "erratum " + _ABOUT.sub("", _NOTICE.sub("", text))
    if _holds(text, _REPLY_PARTS) and _REPLY.search(text):
        flags |= REPLY
    if _RECURRING.match(text):
        flags |= RECURRING
    if "withdrawn" in text and _WITHDRAWN.search(text):
        flags |= WITHDRAWN
    return words(text), flags, cut


def numbers(title: str) -> tuple[str, ...]:
    """Every number of a title in words, Roman ones too, sorted: parts, doses and years tell reports apart.

    >>> numbers("type ii diabetes part one"), numbers("type 2 diabetes 1")
    (('1', '2'), ('1', '2'))
    """
    if _ANY_DIGIT.search(title) is None and _HINTS.isdisjoint(title.split()):
        return ()
    found = []
    for match in _NUMBER.finditer(title):
        if match["digits"]:
            found.append(match["digits"].lstrip("0") or "0")
        elif match["after"]:
            word = match["after"]
            value = _ROMAN.get(word) or _WORDS.get(word)
            if value:
                found.append(str(value))
            elif word in "bcdef" or match["label"] in ("part", "pt", "study", "section"):
                found.append(f"{match['label'][0]}:{word}")
        else:
            found.append(str(_ROMAN[match["roman"] or match["last"]]))
    return tuple(sorted(found))
