"""Which reports are of one study: trial numbers they share, who wrote them when, and what people said of records."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Final

from balm.review.deduplication.names import surname

#: Numbers of trial registers: ClinicalTrials.gov, ISRCTN, EU CTR, EU CTIS, ANZCTR, DRKS, ChiCTR, UMIN, IRCT, CTRI.
_TRIAL: Final = re.compile(
    r"\b(NCT\s?\d{8}|ISRCTN\s?\d{8}|(?:EUCTR\s?)?\d{4}-\d{6}-\d{2}(?:-\d{2})?|ACTRN\s?\d{14}|DRKS\s?\d{8}"
    r"|ChiCTR[\w-]*\d{8,}|UMIN\s?\d{9}|IRCT\d+N\d+|CTRI/\d{4}/\d{2,3}/\d{6})\b",
    re.IGNORECASE,
)


def trial_numbers(text: str) -> tuple[str, ...]:
    """The numbers of trial registers in a text, each once, in upper case without blanks.

    >>> trial_numbers("Registered (NCT 00579085; eudract 2004-001234-12); nct00579085.")
    ('NCT00579085', '2004-001234-12')
    """
    found = (re.sub(r"\s|^EUCTR", "", m.upper()) for m in _TRIAL.findall(text))
    return tuple(dict.fromkeys(found))


_INITIALS: Final = re.compile(r"(?:[A-Z]\.?-?){1,3}")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A report as far as it tells of its study."""

    report: str
    authors: tuple[str, ...] = ()
    year: int | None = None
    trials: tuple[str, ...] = ()


def why_one_study(one: Candidate, other: Candidate, said: Collection[frozenset[str]] = ()) -> tuple[str, ...]:
    """The reasons to take two reports for one study, the strongest first; empty where there is none.

    ``said`` are the pairs that people called reports of one study. The same first author and year is a weak sign: it
    is proposed and never linked without a person.

    >>> a, b = Candidate("a", ("Lynch ME",), 2015), Candidate("b", ("Lynch, Mary",), 2015)
    >>> why_one_study(a, b)
    ('first author and year',)
    """
    reasons = []
    if frozenset((one.report, other.report)) in said:
        reasons.append("said to be one study")
    if shared := [number for number in one.trials if number in other.trials]:
        reasons.append(f"trial {shared[0]}")
    if one.year and one.year == other.year and one.authors and other.authors:
        first = surname(one.authors[0])
        if first and first == surname(other.authors[0]):
            reasons.append("first author and year")
    return tuple(reasons)


def proposals(
    candidates: Sequence[Candidate], said: Collection[frozenset[str]] = ()
) -> dict[str, dict[str, tuple[str, ...]]]:
    """Report -> the other reports that may be of its study -> why."""
    out: dict[str, dict[str, tuple[str, ...]]] = {c.report: {} for c in candidates}
    for k, one in enumerate(candidates):
        for other in candidates[k + 1 :]:
            if reasons := why_one_study(one, other, said):
                out[one.report][other.report] = out[other.report][one.report] = reasons
    return out


def study_label(authors: Sequence[str], year: int | None, taken: Iterable[str]) -> str:
    """Surname and year, with the next letter where another study has the label.

    >>> study_label(["van der Berg J"], 2015, ["van der Berg 2015"])
    'van der Berg 2015a'
    """
    name = _printed(authors[0]) if authors else "Unnamed"
    plain = f"{name} {year or 'undated'}"
    used = {label.casefold() for label in taken}
    letters = ("", *ascii_lowercase, *(a + b for a in ascii_lowercase for b in ascii_lowercase))
    found: str = next(plain + letter for letter in letters if (plain + letter).casefold() not in used)
    return found


def _printed(author: str) -> str:
    """The family name as it is printed, with its particles.

    >>> [_printed(n) for n in ("Lynch, Mary", "van der Berg JA", "Anna B. Miller", "J. de Vries")]
    ['Lynch', 'van der Berg', 'Miller', 'de Vries']
    """
    if "," in author:
        return author.partition(",")[0].strip() or author
    words = author.split()
    while len(words) > 1 and _INITIALS.fullmatch(words[-1]):
        words.pop()
    if len(words) == len(author.split()):  # given names come first
        start = len(words) - 1
        while start > 0 and words[start - 1].islower():
            start -= 1
        words = words[start:]
    return " ".join(words)


def study_id(label: str, taken: Collection[str]) -> str:
    """An id for a study, from its label: letters and digits that every file system tells apart.

    >>> study_id("Müller 2015", {"muller2015"})
    'muller2015-2'
    """
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]", "", plain) or "study"
    used = {one.lower() for one in taken}
    names = (base, *(f"{base}-{k}" for k in range(2, len(used) + 3)))
    return next(name for name in names if name not in used)
