"""How likely two records are one report: a sum of named contributions, so that anyone can add it up again.

The weights are logarithms of odds from a logistic regression on labelled sets and generated pairs
(``validation/deduplication``), fixed here and published; nothing is learned when records are compared. The score ranks
questions and decides between a question and silence; a merge by score alone needs :data:`MERGE_AT`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from balm.review.deduplication.comparison import Bools, Comparison
from balm.review.deduplication.prepared import CONFERENCE, PREPRINT, REGISTRATION, SUPPLEMENT
from balm.review.deduplication.rules import LONG_TITLE
from balm.review.deduplication.title_words import ADDED, CONTRAST
from balm.review.deduplication.titles import ERRATUM, REPLY, WITHDRAWN

Doubles = NDArray[np.float64]

#: Asked from this probability on; asked although a veto holds from the second; merged from the third, without a veto.
REVIEW_AT = 0.1
REVIEW_VETOED_AT = 0.25
MERGE_AT = 0.995


@dataclass(frozen=True, slots=True)
class Feature:
    """One contribution: what a person reads, the field, and its value for each pair (0 where silent)."""

    name: str
    field: str
    value: Callable[[Comparison], NDArray[Any]]


def _flags(c: Comparison, flags: int) -> Bools:
    return np.asarray(((c.flags_1 ^ c.flags_2) & flags) != 0)


FEATURES = (
    Feature("titles equal", "title", lambda c: c.title_equal),
    Feature(
        "likeness of unequal titles", "title", lambda c: np.where(c.title_equal, 0, np.maximum(c.title - 0.6, 0) / 0.4)
    ),
    Feature("one title says more", "title", lambda c: c.words == ADDED),
    Feature("titles in contrast", "title", lambda c: c.words == CONTRAST),
    Feature("numbers differ", "title", lambda c: c.numbers == 0),
    Feature("one number more", "title", lambda c: c.numbers == 0.5),
    Feature("short title", "title", lambda c: c.length < LONG_TITLE),
    Feature("one is a notice, reply or withdrawal", "title", lambda c: _flags(c, ERRATUM | REPLY | WITHDRAWN)),
    Feature("first author agrees", "authors", lambda c: c.first >= 0.85),
    Feature("first author differs", "authors", lambda c: (c.first >= 0) & (c.first < 0.7)),
    Feature("authors agree", "authors", lambda c: c.authors >= 0.85),
    Feature("authors differ", "authors", lambda c: (c.authors >= 0) & (c.authors < 0.6)),
    Feature("journal agrees", "journal", lambda c: c.journal >= 0.7),
    Feature("journal differs", "journal", lambda c: (c.journal >= 0) & (c.journal < 0.4)),
    Feature("abstract agrees", "abstract", lambda c: c.abstract >= 0.9),
    Feature("abstract differs", "abstract", lambda c: (c.abstract >= 0) & (c.abstract < 0.6)),
    Feature("DOI or PubMed number agrees", "doi", lambda c: (c.doi == 1) | (c.pmid == 1)),
    Feature(
        "DOI or PubMed number differs", "doi", lambda c: ((c.doi == 0) | (c.pmid == 0)) & (c.doi != 1) & (c.pmid != 1)
    ),
    Feature("year agrees", "year", lambda c: c.year_gap == 0),
    Feature("a year apart", "year", lambda c: c.year_gap == 1),
    Feature("years apart", "year", lambda c: c.year_gap > 1),
    Feature("volume agrees", "volume", lambda c: c.volume == 1),
    Feature("volume differs", "volume", lambda c: c.volume == 0),
    Feature("issue agrees", "issue", lambda c: c.issue == 1),
    Feature("issue differs", "issue", lambda c: c.issue == 0),
    Feature("first page agrees", "pages", lambda c: c.page == 1),
    Feature("first page differs", "pages", lambda c: c.page == 0),
    Feature("last page agrees", "pages", lambda c: c.last_page == 1),
    Feature("another kind of document", "type", lambda c: _flags(c, CONFERENCE | PREPRINT | REGISTRATION | SUPPLEMENT)),
)  # fmt: skip

#: Log-odds of two compared records when everything is silent, and of each feature, in the order of the table.
INTERCEPT = -3.18
WEIGHTS = np.array(
    [
        1.52, 1.29, -1.72, -3.75, -1.08, -5.0, 0.0, -4.88, 0.91, -2.0, 0.32, -1.7, 4.01, -1.85, 0.65, -1.82, 1.05,
        -2.29, 1.85, 0.0, -3.99, 0.65, -1.78, 0.0, -2.38, 1.61, -1.55, 3.51, -1.71,
    ]
)  # fmt: skip


def features_of(c: Comparison) -> Doubles:
    """The table of features, one row a pair."""
    return np.column_stack([np.asarray(f.value(c), dtype=np.float64) for f in FEATURES])


def probability(c: Comparison) -> Doubles:
    """The probability that each pair is one report."""
    total = np.full(len(c), INTERCEPT)
    for feature, weight in zip(FEATURES, WEIGHTS, strict=True):
        total += weight * np.asarray(feature.value(c), dtype=np.float64)
    return np.asarray(1 / (1 + np.exp(-total)))
