"""Are two names of journals one journal? Abbreviated, cut short, an acronym, with or without a subtitle.

Names are compared once for every distinct pair of names, not once for every pair of records.
"""

from __future__ import annotations

import re

from balm.review.deduplication.likeness import fuzz
from balm.review.deduplication.titles import folded, words

_STOP = frozenset(
    {
        "the", "of", "and", "in", "for", "de", "la", "le", "les", "et", "des", "der", "die", "das", "und", "fur",
        "del", "y", "e", "da", "do", "a", "an", "on", "to", "van", "het", "en", "di", "il", "al", "official",
    }
)  # fmt: skip
#: Embase appends the meeting to the journal that printed its abstracts.
_MEETING_OF = re.compile(r"\W+conference\s*:.*")
_EVERY_MEETING = frozenset(
    {
        "proceedings", "proc", "annual", "th", "st", "nd", "rd", "abstracts", "abstract", "volume", "first", "second",
        "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth",
        "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth", "twenty",
        "thirtieth", "thirty", "fortieth", "forty",
    }
)  # fmt: skip
_PARENTHESES = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


def read_journal(name: str) -> str:
    """The words of a journal's name that tell it apart.

    >>> read_journal("The Journal of Pain (London, England)")
    'journal pain'
    """
    text = folded(name)
    if "conference" in text:
        text = _MEETING_OF.sub("", text)
    stripped = _PARENTHESES.sub(" ", text) if "(" in text or "[" in text else text
    kept = [w for w in words(stripped).split() if w not in _STOP]
    return " ".join(kept) or words(text)


def _telling(name: str) -> list[str]:
    """The words without years, ordinals and what every proceedings volume is called."""
    all_words = name.split()
    return [w for w in all_words if not w[0].isdigit() and w not in _EVERY_MEETING] or all_words


def is_acronym(word: str, full: list[str]) -> bool:
    """Is ``word`` made of the beginnings of the words of ``full``, in order? Words may be skipped, but not the first.

    >>> is_acronym("amcis", "americas conference information systems".split()), is_acronym("jama", ["pain"])
    (True, False)
    """
    reached = {k for k in range(1, len(word)) if full[0].startswith(word[:k])}
    used = 1
    for part in full[1:]:
        reached |= {k + n for k in reached for n in (1, 2) if word[k : k + n] and part.startswith(word[k : k + n])}
        used += 1
    return bool(reached) and len(word) in reached and used >= 3


def _abbreviates(short: list[str], full: list[str]) -> bool:
    """Every word of ``short`` begins a word of ``full``, in order, and the first two words begin alike."""
    at = 0
    for word in short:
        while at < len(full) and not _begins(full[at], word):
            at += 1
        if at == len(full):
            return False
        at += 1
    return True


def _begins(full: str, short: str) -> bool:
    if full.startswith(short):
        return True
    # natl - national, intl - international, assn - association: the first letter, then a subsequence, to the end
    if len(short) < 3 or full[0] != short[0] or len(short) >= len(full):
        return False
    letters = iter(full)
    return all(c in letters for c in short) and full[:2] == short[:2]


def journal_similarity(a: str, b: str) -> float:
    """From 0 to 1, of two names from :func:`read_journal`; 1 where one can stand for the other.

    >>> journal_similarity("curr opin lipidol", "current opinion lipidology")
    1.0
    >>> journal_similarity("pain", "journal pain") < 0.8
    True
    """
    if a == b:
        return 1.0
    x, y = _telling(a), _telling(b)
    if x == y:
        return 1.0
    if (len(x), len(a)) > (len(y), len(b)):
        x, y = y, x
    if len(x) >= 2 and len(y) <= 2 * len(x) + 3 and y[0][0] == x[0][0] and _abbreviates(x, y):
        # `journal pain` does not abbreviate `journal pain symptom management`: what is left over must be small,
        # unless the words are visibly abbreviated
        if len(x) == len(y) or any(w not in y for w in x):
            return 1.0 if len(y) - len(x) <= 1 or len(x) >= 3 else 0.85
        return 0.85 if len(x) >= 3 else 0.6
    if len(x) == 1:
        word = x[0]
        if 3 <= len(word) <= 8 and len(y) > 1 and (is_acronym(word, y) or (word == y[0] and len(word) <= 5)):
            return 0.9
        if len(y) == 1 and min(len(word), len(y[0])) >= 4 and (y[0].startswith(word) or word.startswith(y[0])):
            return 1.0
        if len(y) > 1 and y[0] == word and len(word) >= 5:
            return 0.7
    rest = len(y) - len(x) + 1
    if len(x) >= 2 and rest >= 2 and is_acronym(x[0], y[:rest]) and _abbreviates(x[1:], y[rest:]):
        return 0.9
    ratio = fuzz.ratio(a, b) / 100
    sets = fuzz.token_sort_ratio(a, b) / 100
    common = len(set(x) & set(y)) / len(set(x) | set(y))
    return float(max(ratio, sets) * (0.6 + 0.4 * common))
