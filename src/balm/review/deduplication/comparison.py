"""What two records have in common, field by field: -1 where either does not say, otherwise from 0 (unlike) to 1."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from balm.review.deduplication.headings import headed
from balm.review.deduplication.journals import journal_similarity
from balm.review.deduplication.likeness import fuzz, process
from balm.review.deduplication.places import CENTRAL, JSTOR, SUPPLEMENT_ISSUES
from balm.review.deduplication.prepared import CUT, Ints, Prepared
from balm.review.deduplication.title_words import ADDED, CONTRAST, SAME, title_difference
from balm.review.deduplication.titles import numbers

Floats = NDArray[np.float32]
Bools = NDArray[np.bool_]

#: Pairs compared at a time: bounds the memory whatever the number of records.
CHUNK = 200_000
#: Titles less alike than this belong to one report only where a number or place says so.
TITLES_ALIKE = 0.72
MISSING = np.float32(-1.0)
#: Threads that compare texts; the result is the same with any number.
WORKERS = 2
_PUNCTUATION = re.compile(r"[^a-z0-9]+")
_VERSION = re.compile(r"[./](?:pub|v|ver)\.?\d+$")


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """One row a pair. ``numbers``: 1 equal, 0.75 one title has those of a heading or marks of footnotes, 0.5 one has
    more, 0 different.
    ``words``: see ``title_words``.
    """

    i: Ints
    j: Ints
    title: Floats
    title_equal: Bools
    words: NDArray[np.int8]
    inside: Bools  # one title is the whole of a part of the other
    headed: Bools  # all that one title has more is the heading of its section, or marks of footnotes
    numbers: Floats
    length: Ints  # of the shorter title
    first: Floats
    authors: Floats
    journal: Floats
    abstract: Floats
    doi: Floats
    pmid: Floats
    registry: Floats
    year_gap: Ints  # -1 where a year is missing
    volume: Floats
    issue: Floats
    page: Floats
    last_page: Floats
    span: Ints  # pages the shorter of both runs over, 0 where not known
    translated: Bools
    placed: Bools  # one of the two has a volume or a page
    flags_1: Ints
    flags_2: Ints

    def __len__(self) -> int:
        return len(self.i)

    def only(self, rows: Any) -> Comparison:
        """The pairs at ``rows`` (a mask or positions)."""
        return Comparison(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})


def joined(parts: Sequence[Comparison]) -> Comparison:
    """Comparisons one after the other."""
    return Comparison(**{f.name: np.concatenate([getattr(c, f.name) for c in parts]) for f in fields(Comparison)})


def compare(p: Prepared, i: Ints, j: Ints, *, all_pairs: bool = False) -> Iterator[Comparison]:
    """Compare the pairs in chunks; pairs that cannot be one report are left out unless ``all_pairs``."""
    known_journals: dict[int, float] = {}
    for at in range(0, max(len(i), 1), CHUNK):
        yield _compare(p, i[at : at + CHUNK], j[at : at + CHUNK], known_journals, all_pairs)


def _agreement(column: Ints, i: Ints, j: Ints) -> Floats:
    a, b = column[i], column[j]
    return np.where((a == 0) | (b == 0), MISSING, (a == b).astype(np.float32))


def _alike(texts: list[str], told: Ints, i: Ints, j: Ints, scorer: Callable[..., Any], *, least: float = 0.0) -> Floats:
    """Likeness of two texts from 0 to 1, 0 below ``least``; -1 where either is empty (``told`` is 0). Compared in C."""
    if not len(i):
        return np.zeros(0, dtype=np.float32)
    score = (
        process.cpdist(
            list(map(texts.__getitem__, i.tolist())),
            list(map(texts.__getitem__, j.tolist())),
            scorer=scorer,
            score_cutoff=least * 100,
            dtype=np.float32,
            workers=WORKERS if len(i) > 5000 else 1,
        )
        / 100
    )
    return cast(Floats, np.where((told[i] == 0) | (told[j] == 0), MISSING, score).astype(np.float32))


def _where(mask: Bools, i: Ints, j: Ints, of: Callable[[Ints, Ints], Floats], otherwise: Floats) -> Floats:
    rows = np.flatnonzero(mask)
    out = otherwise.astype(np.float32, copy=True)
    if len(rows):
        out[rows] = of(i[rows], j[rows])
    return out


def _compare(p: Prepared, i: Ints, j: Ints, known: dict[int, float], all_pairs: bool) -> Comparison:
    equal = (p.title_hash[i] == p.title_hash[j]) & (p.title_hash[i] != 0)
    ones = np.ones(len(i), dtype=np.float32)
    least = 0.0 if all_pairs else TITLES_ALIKE  # what is less alike is mostly not worth the whole measure
    title = _where(~equal, i, j, lambda a, b: _alike(p.title, p.length, a, b, fuzz.ratio, least=least), ones)
    doi, pmid = _agreement(p.doi, i, j), _agreement(p.pmid, i, j)
    page, volume = _agreement(p.first_page, i, j), _volumes(p, i, j)
    first_equal = (p.first_hash[i] == p.first_hash[j]) & (p.first_hash[i] != 0)
    originals = (
        ((p.original_hash[i] == p.title_hash[j]) | (p.original_hash[j] == p.title_hash[i])
         | ((p.original_hash[i] == p.original_hash[j]) & (p.original_hash[i] != 0)))
        & ((p.original_hash[i] != 0) | (p.original_hash[j] != 0))
        & (np.minimum(p.length[i], p.length[j]) > 0)
    )  # fmt: skip
    start = (p.start_hash[i] == p.start_hash[j]) & (p.start_hash[i] != 0)
    same_abstract = (p.abstract_hash[i] == p.abstract_hash[j]) & (p.abstract_hash[i] != 0)
    if not all_pairs:
        extent = (p.last_page[i] == p.last_page[j]) & (p.last_page[i] != 0) & (p.year[i] == p.year[j])
        placed = (page == 1) & ((volume == 1) | (extent & (volume != 0))) & first_equal
        placed |= (first_equal | _one_end(p, i, j)) & _one_issue(p, i, j, volume) & (page != 0)
        keep = (
            (title >= TITLES_ALIKE) | (doi == 1) | (pmid == 1) | placed | originals
            | ((start | same_abstract) & (first_equal | (page == 1)))
        )  # fmt: skip
        i, j, equal, title = i[keep], j[keep], equal[keep], title[keep]
        doi, pmid, page, volume = doi[keep], pmid[keep], page[keep], volume[keep]
        first_equal, originals = first_equal[keep], originals[keep]
    ones = np.ones(len(i), dtype=np.float32)
    first = _where(~first_equal, i, j, lambda a, b: _alike(p.first, p.first_hash, a, b, fuzz.ratio), ones)
    if not all_pairs:
        same_abstract = (p.abstract_hash[i] == p.abstract_hash[j]) & (p.abstract_hash[i] != 0)
        numbered = (doi == 1) | (pmid == 1) | (page == 1)
        together = _one_end(p, i, j) & _one_issue(p, i, j, volume)
        keep = equal | numbered | same_abstract | originals | (first >= 0.7) | (first < 0) | (title >= 0.92) | together
        i, j, equal, title, first = i[keep], j[keep], equal[keep], title[keep], first[keep]
        doi, pmid, page, volume, originals = doi[keep], pmid[keep], page[keep], volume[keep], originals[keep]
    doi = _dois(p, i, j, doi)
    unequal = ~equal
    title = _where(
        unequal & (title >= 0) & (title < TITLES_ALIKE),
        i,
        j,
        lambda a, b: _alike(p.title, p.length, a, b, fuzz.ratio),
        title,
    )
    sort_ratio = _where(unequal, i, j, lambda a, b: _alike(p.title, p.length, a, b, fuzz.token_sort_ratio), title)
    title = np.maximum(title, sort_ratio)
    same_numbers = p.numbers[i] == p.numbers[j]
    told = np.ones(len(i), dtype=np.float32)
    difference = np.full(len(i), SAME, dtype=np.int8)
    inside = np.zeros(len(i), dtype=bool)
    under = np.zeros(len(i), dtype=bool)
    cut = ((p.flags[i] | p.flags[j]) & CUT) != 0
    # below these, the words are in contrast: no need to look at each
    close = (
        (title >= 0.8) | (doi == 1) | (pmid == 1) | ((page == 1) & (volume != 0))
        | (_one_end(p, i, j) & (title >= 0.6))
        | _one_issue(p, i, j, volume) | all_pairs
    )  # fmt: skip
    difference[unequal & ~close] = CONTRAST
    for row in np.flatnonzero(unequal & close).tolist():
        a, b = p.title[i[row]], p.title[j[row]]
        difference[row] = title_difference(a, b, cut=bool(cut[row]))
        inside[row] = bool(a and b) and (a in b or b in a)
        under[row] = (difference[row] == ADDED or not same_numbers[row]) and headed(a, b)
        if not same_numbers[row]:
            x, y = set(numbers(a)), set(numbers(b))
            more = 0.75 if under[row] else 0.5
            told[row] = 1.0 if x == y else more if x < y or y < x else 0.0
    same_authors = (p.authors_hash[i] == p.authors_hash[j]) & (p.authors_hash[i] != 0)
    authors = _where(
        ~same_authors,
        i,
        j,
        lambda a, b: _alike(p.authors, p.authors_hash, a, b, fuzz.token_set_ratio),
        np.ones(len(i), dtype=np.float32),
    )
    return Comparison(
        i=i,
        j=j,
        title=title,
        title_equal=equal,
        words=difference,
        inside=inside,
        headed=under,
        numbers=told,
        length=np.minimum(p.length[i], p.length[j]),
        first=first,
        authors=authors,
        journal=_journals(p, i, j, known),
        abstract=_alike(p.abstract, p.abstract_hash, i, j, fuzz.ratio),
        doi=doi,
        pmid=pmid,
        registry=_agreement(p.registry, i, j),
        year_gap=np.where((p.year[i] == 0) | (p.year[j] == 0), -1, np.abs(p.year[i] - p.year[j])),
        volume=volume,
        issue=_issues(p.issue[i], p.issue[j]),
        page=page,
        last_page=_agreement(p.last_page, i, j),
        span=np.minimum(_span(p, i), _span(p, j)),
        translated=originals,
        placed=(p.volume[i] > 0) | (p.volume[j] > 0) | (p.first_page[i] > 0) | (p.first_page[j] > 0),
        flags_1=p.flags[i],
        flags_2=p.flags[j],
    )


def _dois(p: Prepared, i: Ints, j: Ints, agreement: Floats) -> Floats:
    """A DOI cut at its end, or written with other punctuation, is no other DOI; another version of it is.

    JSTOR gives papers a DOI of its own beside the publisher's. That of CENTRAL names an entry: one report has several.
    """
    out = agreement.copy()
    for row in np.flatnonzero(out == 0).tolist():
        short, long = sorted((p.doi_text[i[row]], p.doi_text[j[row]]), key=len)
        if short.startswith(JSTOR) != long.startswith(JSTOR) or short.startswith(CENTRAL) or long.startswith(CENTRAL):
            out[row] = MISSING
        elif _PUNCTUATION.sub("", short) == _PUNCTUATION.sub("", long):
            out[row] = 1.0
        elif len(long) - len(short) <= 3 and long.startswith(short) and not _VERSION.search(long):
            out[row] = MISSING
    return out


def _volumes(p: Prepared, i: Ints, j: Ints) -> Floats:
    """A volume that is the year of its record numbers nothing, and so differs from no other."""
    out = _agreement(p.volume, i, j)
    out[(out == 0) & ((p.volume[i] == p.year[i]) | (p.volume[j] == p.year[j]))] = MISSING
    return out


def _issues(a: Ints, b: Ints) -> Floats:
    """Issue 21 and its supplement may be one issue; issue 3 and "Suppl 1" say nothing of each other."""
    x, y = a % SUPPLEMENT_ISSUES, b % SUPPLEMENT_ISSUES
    unlike = (a >= SUPPLEMENT_ISSUES) != (b >= SUPPLEMENT_ISSUES)
    silent = (x == 0) | (y == 0) | (unlike & (x != y))
    return np.where(silent, MISSING, (x == y).astype(np.float32))


def _one_end(p: Prepared, i: Ints, j: Ints) -> Bools:
    """The titles begin or end alike."""
    return np.asarray(
        ((p.start_hash[i] == p.start_hash[j]) & (p.start_hash[i] != 0))
        | ((p.end_hash[i] == p.end_hash[j]) & (p.end_hash[i] != 0))
    )


def _one_issue(p: Prepared, i: Ints, j: Ints, volume: Floats) -> Bools:
    """The numbers of volume and issue are one."""
    return np.asarray((volume == 1) & (p.issue[i] == p.issue[j]) & (p.issue[i] != 0))


def _span(p: Prepared, k: Ints) -> Ints:
    return np.where(p.last_page[k] > 0, np.minimum(p.last_page[k] - p.first_page[k] + 1, 1000), 0)


def _journals(p: Prepared, i: Ints, j: Ints, known: dict[int, float]) -> Floats:
    """Each distinct pair of names once; a shared ISSN settles it."""
    a, b = p.journal[i], p.journal[j]
    low, high = np.minimum(a, b), np.maximum(a, b)
    code = low * len(p.journals) + high
    sort = np.argsort(code, kind="stable")
    begins = np.ones(len(code), dtype=bool)
    begins[1:] = code[sort][1:] != code[sort][:-1]
    distinct = code[sort][begins]
    back = np.empty(len(code), dtype=np.int64)
    back[sort] = np.cumsum(begins) - 1
    values = np.empty(len(distinct), dtype=np.float32)
    for k, c in enumerate(distinct.tolist()):
        if c not in known:
            x, y = divmod(c, len(p.journals))
            known[c] = -1.0 if x == 0 or y == 0 else journal_similarity(p.journals[x], p.journals[y])
        values[k] = known[c]
    out = values[back].astype(np.float32) if len(distinct) else np.zeros(0, dtype=np.float32)
    shared = np.zeros(len(i), dtype=bool)
    for mine in (p.issn[i], p.issn_2[i]):
        shared |= (mine != 0) & ((mine == p.issn[j]) | (mine == p.issn_2[j]))
    out[shared] = 1.0
    return out
