"""What differs between two titles: nothing but spelling, words added on one side, or a contrast.

A title with "women" where the other has "men" is another report however alike the rest; "tumour" and "tumor", a
plural, a lost letter or a cut word are not.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from balm.review.deduplication.likeness import OSA

SAME, ADDED, CONTRAST = 0, 1, 2
#: Nobody mistypes so many words of one title.
MANY_WORDS = 5
#: In a word as short as this another first letter makes another word.
SHORT_WORD = 5
_FILLERS = frozenset(
    {
        "a", "an", "the", "of", "in", "for", "and", "or", "on", "to", "with", "by", "from", "at", "as", "is", "are",
        "its", "vs", "versus", "via", "into", "der", "die", "das", "de", "la", "le", "el",
    }
)  # fmt: skip
#: What turns a word into its opposite, in front of it or in exchange.
_OPPOSING: Final = (
    "a",
    "an",
    "un",
    "in",
    "im",
    "ir",
    "non",
    "anti",
    "de",
    "dis",
    "wo",
    "fe",
    "pre",
    "post",
    "sub",
    "co",
    "hemi",
)
_EXCHANGED: Final = (
    ("hyper", "hypo"), ("intra", "inter"), ("intra", "extra"), ("pre", "post"), ("over", "under"), ("endo", "exo"),
    ("micro", "macro"), ("mono", "bi"), ("mono", "poly"), ("uni", "bi"), ("in", "ex"), ("up", "down"), ("in", "de"),
    ("pro", "anti"), ("homo", "hetero"), ("iso", "allo"), ("auto", "allo"), ("short", "long"), ("low", "high"),
    ("nor", "dia"), ("sys", "dia"), ("ab", "ad"), ("af", "ef"), ("pre", "peri"), ("post", "peri"), ("ortho", "para"),
)  # fmt: skip


def _opposite(a: str, b: str) -> bool:
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    if len(short) > 2 and long.endswith(short) and long[: len(long) - len(short)] in _OPPOSING:
        return True
    for x, y in _EXCHANGED:
        if a.startswith(x) and b.startswith(y) and a[len(x) :] == b[len(y) :]:
            return True
        if a.startswith(y) and b.startswith(x) and a[len(y) :] == b[len(x) :]:
            return True
    return False


@lru_cache(maxsize=1 << 16)  # the same few words differ in many titles
def _stands_for(a: str, b: str) -> bool:
    """Is ``a`` the word ``b`` with a typing error, in another spelling, or cut?

    Three letters may lose or gain one ("pain", "pin"), but not change one ("rat", "cat"; "IgA", "IgE"); up to five may
    not change the first ("rats", "cats").
    """
    short, long = (a, b) if len(a) <= len(b) else (b, a)
    apart = len(long) - len(short)
    if apart > 3 or len(short) < 3:
        return False
    if len(short) >= 4 and long.startswith(short):
        return True
    allowed = 2 if len(short) >= 8 else 1
    if apart > allowed or (apart == 0 and (len(short) == 3 or (len(short) <= SHORT_WORD and a[0] != b[0]))):
        return False
    return OSA.distance(a, b, score_cutoff=allowed) <= allowed and not _opposite(a, b)


def title_difference(a: str, b: str, *, cut: bool = False) -> int:
    """:data:`SAME`, :data:`ADDED` or :data:`CONTRAST` of two titles in words; ``cut``: one of them breaks
    off, and may hide a "Part II".

    >>> title_difference("tumour growth in mice", "tumor growth in mice") == SAME
    True
    >>> title_difference("pain in women", "pain in men") == CONTRAST
    True
    >>> title_difference("pain", "pain in children") == ADDED
    True
    """
    x, y = a.split(), b.split()
    only_x, only_y = set(x) - set(y), set(y) - set(x)
    packed_a, packed_b = a.replace(" ", ""), b.replace(" ", "")
    if packed_a == packed_b:
        return SAME
    if cut and (packed_a.startswith(packed_b) or packed_b.startswith(packed_a)):
        return ADDED
    if len(only_x) >= MANY_WORDS and len(only_y) >= MANY_WORDS:
        return CONTRAST
    left = _unmatched(only_x, only_y, packed_b, x)
    right = _unmatched(only_y, only_x, packed_a, y)
    if left and right:
        return CONTRAST
    return ADDED if left or right else SAME


def _unmatched(mine: set[str], theirs: set[str], their_title: str, in_order: list[str]) -> bool:
    for word in mine:
        if word in _FILLERS or (len(word) < 2 and not word.isdigit()):
            continue
        if any(_stands_for(word, other) for other in theirs):
            continue
        # written together or apart: `nonsmall` and `non small`
        at = in_order.index(word)
        after = word + in_order[at + 1] if at + 1 < len(in_order) else ""
        before = in_order[at - 1] + word if at else ""
        if len(word) >= 6 and word in their_title and not any(_opposite(word, o) for o in theirs):
            continue
        if (after in theirs) or (before in theirs):
            continue
        return True
    return False
