"""What an export prints around a title: the heading of its section before it, the marks of footnotes behind it."""

from __future__ import annotations

import re

from balm.review.deduplication.title_words import SAME, title_difference

#: The marks of footnotes ("in obese women1-3"), counted from 1.
_FOOTNOTES = re.compile(r" ?1(?: [2-9])*$")
#: The heading of a section of a journal, in words: what stands under it is the same text with and without it.
_HEADING = re.compile(
    r"(?:(?!on |to |of |about )\w+ ){1,6}(?:papers?|articles?|notes?|competition|communications?|essays?)"
    r"|(?:original|brief|short|case|rapid|special|clinical) "
    r"(?:reports?|research|investigations?|stud(?:y|ies)|reviews?)"
    r"|(?:\w+ )?(?:special|themed?) (?:issue|section|topic|feature|series)(?: \w+)*"
)
#: Before a title these words make another text of it.
_OTHER_TEXT = re.compile(
    r"\b(?:companion|second|follow|updat|repl[iy]|respon|comment|discuss|errat|corri|correct|summar|synops|abstract|"
    r"highlight|protocol|supplement|appendix|addend|introduc|editor|perspective|viewpoint|letter|poster|slides|retract|"
    r"translat|reprint|part\b)"
)


def headed(a: str, b: str) -> bool:
    """Is all that one title in words has more its heading or marks of footnotes? A "2" is no such mark.

    >>> headed("invited article weight loss in women1 3", "weight loss in women"), headed("pain 2", "pain")
    (True, False)
    >>> headed("companion paper weight loss in women", "weight loss in women")
    False
    """
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    if not short:
        return False
    bare = _FOOTNOTES.sub("", long)
    if bare != long and _one(bare, short):
        return True
    words, count = bare.split(), len(short.split())
    heading = " ".join(words[:-count])
    return (
        _HEADING.fullmatch(heading) is not None
        and _OTHER_TEXT.search(heading) is None
        and _one(" ".join(words[-count:]), short)
    )


def _one(a: str, b: str) -> bool:
    return title_difference(a, b) == SAME
