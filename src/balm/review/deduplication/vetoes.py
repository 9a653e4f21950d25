"""What keeps two records apart however alike they are.

A vetoed pair is at most a question, and a cluster with one inside is cut. The order is the order of telling: the first
that holds is the one a person reads.
"""

from __future__ import annotations

import numpy as np

from balm.review.deduplication.comparison import Bools, Comparison
from balm.review.deduplication.prepared import COCHRANE, CONFERENCE, PREPRINT, REGISTRATION, SUPPLEMENT, THESIS
from balm.review.deduplication.rules import (
    LONG_TITLE,
    Rule,
    elsewhere,
    identical,
    named,
    other_authors,
    recurring,
    same_authors,
    same_extent,
    same_issue,
    same_number,
    same_pages_and_title,
    same_run,
    same_title,
    subtitle_left_out,
    twins,
    under_a_heading,
)
from balm.review.deduplication.title_words import ADDED, CONTRAST
from balm.review.deduplication.titles import ERRATUM, RECURRING, REPLY, WITHDRAWN


def _one_side(c: Comparison, flag: int) -> Bools:
    return np.asarray(((c.flags_1 ^ c.flags_2) & flag) != 0)


def _same_place(c: Comparison) -> Bools:
    return np.asarray((c.volume == 1) & (c.page == 1))


def _recurs(c: Comparison) -> Bools:
    """A short title, or one that comes back with every issue or meeting."""
    return np.asarray((c.length < LONG_TITLE) | (((c.flags_1 | c.flags_2) & RECURRING) != 0))


def _meeting(c: Comparison) -> Bools:
    """Only one is from a meeting, and nothing says that both stand at one place."""
    flagged = _one_side(c, CONFERENCE)
    placed = ((c.page == 1) & (c.year_gap == 0)) | ((c.volume == 1) & (c.page < 0) & (c.abstract >= 0.9))
    return np.asarray(flagged & ~(placed & (c.journal >= 0.7)) & ~_same_place(c))


def _versions(c: Comparison) -> Bools:
    """Both in the Cochrane Database, in another year or issue: the protocol, the review or an update of it."""
    both = ((c.flags_1 & c.flags_2) & COCHRANE) != 0
    return np.asarray(both & ((c.year_gap > 0) | (c.issue == 0)))


#: Of an editor's columns every issue holds one: two of them at different places are no question.
NOT_ASKED = "a title of every issue, at another place"

VETOES = (
    Rule("one is a correction or retraction notice", ("title",), lambda c: _one_side(c, ERRATUM)),
    Rule("one is a reply or comment", ("title",), lambda c: _one_side(c, REPLY)),
    Rule("one is a withdrawn version", ("title",), lambda c: _one_side(c, WITHDRAWN)),
    Rule("different trial registrations", ("registry",), lambda c: (c.registry == 0) & (c.pmid != 1) & (c.doi != 1)),
    Rule("a trial registration and a report", ("type",), lambda c: _one_side(c, REGISTRATION)),
    Rule("a preprint and a published paper", ("type", "doi"), lambda c: _one_side(c, PREPRINT) & (c.doi != 1)),
    Rule("a thesis and a paper", ("type",), lambda c: _one_side(c, THESIS) & (c.doi != 1)),
    Rule(NOT_ASKED, ("title",), lambda c: recurring(c) & elsewhere(c) & (c.doi != 1) & (c.pmid != 1)),
    Rule("different PubMed numbers", ("pmid",), lambda c: c.pmid == 0),
    Rule("different numbers or parts in the titles", ("title",), lambda c: (c.numbers == 0) & (c.pmid != 1)),
    Rule(
        "one title names a part or number more",
        ("title",),
        lambda c: (c.numbers == 0.5) & ~same_number(c) & ~same_extent(c)
        & ~(_same_place(c) & (c.issue != 0) & (c.abstract >= 0.8)),
    ),
    Rule("one record has no title", ("title",), lambda c: ~named(c) & ~same_number(c)),
    Rule("different DOIs", ("doi",), lambda c: (c.doi == 0) & (c.pmid != 1)),
    Rule(
        "versions of one Cochrane review",
        ("year", "issue"),
        lambda c: _versions(c) & (c.doi != 1) & (c.pmid != 1),
    ),
    Rule("titles in contrast", ("title",), lambda c: (c.words == CONTRAST)
        & ~(same_number(c) & (c.title >= 0.9)) & ~c.translated & ~same_extent(c)),
    Rule(
        "different authors",
        ("authors",),
        lambda c: other_authors(c) & ~same_number(c) & ~same_pages_and_title(c),
    ),
    Rule("a meeting abstract and a paper", ("type", "journal"), lambda c: _meeting(c) & ~same_number(c)),
    Rule(
        "a supplement and another place",
        ("issue", "pages"),
        lambda c: _one_side(c, SUPPLEMENT) & (c.page == 0) & ~same_number(c),
    ),
    Rule(
        "different volumes",
        ("volume",),
        lambda c: (c.volume == 0) & ~same_number(c) & ~((c.page == 1) & (c.year_gap == 0) & (c.journal >= 0.4)),
    ),
    Rule(
        "different issues of one volume",
        ("issue",),
        lambda c: (c.issue == 0) & (c.volume != 0) & ~same_number(c) & (c.page != 1),
    ),
    Rule("different pages", ("pages",), lambda c: (c.page == 0) & ~same_number(c) & ~identical(c)),
    Rule(
        "years apart",
        ("year",),
        lambda c: (c.year_gap > 1) & ~same_number(c) & ~(_same_place(c) & same_authors(c) & (c.journal >= 0.7))
        & ~same_issue(c),
    ),
    Rule(
        "different journals",
        ("journal",),
        lambda c: (c.journal >= 0) & (c.journal < 0.4) & ~same_number(c) & ~(_same_place(c) & (c.year_gap == 0))
        & ~((c.abstract >= 0.9) & (c.page == 1)) & ~same_run(c),
    ),
    Rule(
        "a title that recurs",
        ("title",),
        lambda c: _recurs(c) & ~same_number(c) & ~(_same_place(c) & (c.journal >= 0.4))
        & ~((c.page == 1) & (c.year_gap == 0) & (c.journal >= 0.7) & same_authors(c))
        & ~(same_title(c) & (c.abstract >= 0.95) & ((c.authors >= 0.95) | ((c.journal >= 0.7) & (c.volume == 1))))
        & ~same_extent(c) & ~same_issue(c) & ~under_a_heading(c),
        cuts=False,
    ),
    Rule(
        "one title says more",
        ("title",),
        lambda c: (c.words == ADDED) & ~same_number(c) & ~(_same_place(c) & (c.year_gap <= 1)) & ~(c.abstract >= 0.95)
        & ~subtitle_left_out(c) & ~under_a_heading(c),
        cuts=False,
    ),
    Rule("titles too unlike", ("title",), lambda c: (c.title < 0.8) & ~c.inside & ~c.translated
        & ~same_number(c) & ~same_extent(c), cuts=False),
)  # fmt: skip

#: Vetoes that rest on where a report stands; exports garble volumes, issues and pages more than anything else.
OF_PLACE = frozenset(
    {
        "a supplement and another place",
        "different volumes",
        "different issues of one volume",
        "different pages",
        "a meeting abstract and a paper",
    }
)


def first_veto(c: Comparison) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """The position in :data:`VETOES` of the first veto that holds for each pair, -1 for none."""
    found = np.full(len(c), -1, dtype=np.int8)
    for k in range(len(VETOES) - 1, -1, -1):
        found[VETOES[k].holds(c)] = k
    return found


def not_asked(veto: np.ndarray[tuple[int], np.dtype[np.int8]]) -> Bools:
    """Where the veto leaves nothing to ask."""
    return np.asarray(np.array([*(v.name == NOT_ASKED for v in VETOES), False])[veto])


def cutting(c: Comparison, veto: np.ndarray[tuple[int], np.dtype[np.int8]]) -> Bools:
    """Where the veto keeps a pair out of one cluster even if a third record would join them."""
    always = np.array([*(v.cuts for v in VETOES), False])[veto]
    of_place = np.array([*(v.name in OF_PLACE for v in VETOES), False])[veto]
    return np.asarray(always & ~(of_place & twins(c)))
