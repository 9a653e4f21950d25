"""When two records are certainly one report: an identical core, and nothing that speaks against it.

Each rule names the fields it rests on. A rule only proposes: a veto (``vetoes``) turns its merge into a question.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from balm.review.deduplication.comparison import Bools, Comparison
from balm.review.deduplication.prepared import COCHRANE, CONFERENCE, PREPRINT, REGISTRATION, SUPPLEMENT, THESIS
from balm.review.deduplication.title_words import ADDED, SAME
from balm.review.deduplication.titles import ERRATUM, RECURRING, REPLY, WITHDRAWN

#: Titles with fewer letters recur ("Ketamine for chronic pain" does not, "Letter to the editor" does).
LONG_TITLE = 32
VERY_LONG_TITLE = 50


@dataclass(frozen=True, slots=True)
class Rule:
    """A name that people read, the fields it rests on, and where it holds.

    A veto that ``cuts`` keeps its pair out of one cluster even where a third record would join them; one that does not
    only says that this pair alone is no proof.
    """

    name: str
    fields: tuple[str, ...]
    holds: Callable[[Comparison], Bools]
    cuts: bool = True


def same_number(c: Comparison) -> Bools:
    """One DOI or PubMed number, and no sign that it stands for a whole supplement or was copied to the wrong record."""
    contradicted = (
        (c.page == 0) & (((c.abstract >= 0) & (c.abstract < 0.7)) | ((c.authors >= 0) & (c.authors < 0.9)))
    ) | ((c.abstract >= 0) & (c.abstract < 0.5) & ~c.title_equal)
    return np.asarray(((c.doi == 1) | (c.pmid == 1)) & ~contradicted)


def twins(c: Comparison) -> Bools:
    """Title, authors, abstract, journal and year are one: another volume, issue or page is an error of copying."""
    return np.asarray(
        c.title_equal
        & (c.length >= LONG_TITLE)
        & (c.authors >= 0.9)
        & (c.first >= 0.85)
        & (c.abstract >= 0.95)
        & (c.journal >= 0.7)
        & (c.year_gap == 0)
        & (c.doi != 0)
        & (c.pmid != 0)
    )


def same_title(c: Comparison) -> Bools:
    """The same words up to spelling, with the same numbers."""
    return np.asarray((c.title_equal | ((c.words == SAME) & (c.title >= 0.85))) & (c.numbers == 1))


def near_title(c: Comparison) -> Bools:
    """The same title, or one with a subtitle or remark more."""
    added = (c.words == ADDED) & ((c.title >= 0.8) | c.inside) & (c.length >= 20)
    return np.asarray(same_title(c) | (added & (c.numbers >= 0.5)))


def same_authors(c: Comparison) -> Bools:
    """The first authors agree, or all of them as sets of names."""
    return np.asarray((c.first >= 0.85) | (c.authors >= 0.85))


def other_authors(c: Comparison) -> Bools:
    """Both name authors and neither the first nor the rest are alike."""
    return np.asarray((c.authors >= 0) & (c.authors < 0.6) & (c.first < 0.7))


def same_run(c: Comparison) -> Bools:
    """One long title by the same authors over the same pages of one year, whatever the series is called."""
    return np.asarray(
        same_title(c)
        & (c.length >= LONG_TITLE)
        & same_authors(c)
        & (c.page == 1)
        & (c.last_page == 1)
        & (c.span >= 3)
        & (c.year_gap == 0)
        & (c.volume != 0)
    )


def same_pages_and_title(c: Comparison) -> Bools:
    """One long title over the same pages of one volume: whoever is named as author (a person, then the group).

    Letters on one paper share title and pages too, but not so many pages.
    """
    return np.asarray(
        c.title_equal
        & (c.length >= VERY_LONG_TITLE)
        & (c.volume == 1)
        & (c.page == 1)
        & (c.last_page == 1)
        & (c.span >= 5)
        & (c.year_gap == 0)
        & (c.journal >= 0.7)
    )


def no_other_authors(c: Comparison) -> Bools:
    """The authors agree roughly (names swapped, letters lost), or one record names none."""
    return np.asarray(~other_authors(c) | same_pages_and_title(c))


#: Abstracts fill less than so many pages; an export gives all of them the pages of their supplement, which has more.
SHORTEST_ARTICLE, LONGEST_ARTICLE = 5, 30


def named(c: Comparison) -> Bools:
    """Both records have a title: without one nobody can tell two reports on the same pages apart."""
    return np.asarray(c.length > 0)


def same_extent(c: Comparison) -> Bools:
    """From the same first to the same last page of one volume, over three pages or more, by the same authors.

    Two reports cannot share that, whatever language their titles are in. Abstracts of a meeting share pages, so nothing
    from a meeting counts, and of a supplement only what is as long as an article.
    """
    return np.asarray(
        (c.volume == 1)
        & (c.page == 1)
        & (c.last_page == 1)
        & (c.span >= 3)
        & (c.year_gap == 0)
        & (c.first >= 0.85)
        & (c.authors >= 0.85)
        & (c.issue != 0)
        & (c.doi != 0)
        & (c.pmid != 0)
        & (((c.flags_1 | c.flags_2) & CONFERENCE) == 0)
        & ((((c.flags_1 | c.flags_2) & SUPPLEMENT) == 0) | ((c.span >= SHORTEST_ARTICLE) & (c.span <= LONGEST_ARTICLE)))
    )


def subtitle_left_out(c: Comparison) -> Bools:
    """One title is a part of the other, and both run over the same pages of one journal and year."""
    return np.asarray(
        c.inside
        & (c.words == ADDED)
        & (c.length >= 20)
        & same_authors(c)
        & (c.first >= 0.85)
        & (c.page == 1)
        & (c.last_page == 1)
        & (c.span >= 3)
        & (c.year_gap == 0)
        & (c.volume != 0)
        & (c.issue != 0)
        & (c.journal >= 0.7)
        & (c.doi != 0)
        & (c.pmid != 0)
    )


def same_issue(c: Comparison) -> Bools:
    """The same title by the same authors in one issue of one journal: another year is an error of copying, and an issue
    does not print a short title twice, but for the columns of its editors and the abstracts of a meeting.
    """
    several = RECURRING | CONFERENCE | SUPPLEMENT | COCHRANE
    return np.asarray(
        c.title_equal
        & (c.length >= 20)
        & (c.first >= 0.85)
        & (c.authors >= 0.85)
        & (c.journal >= 0.8)
        & (c.volume == 1)
        & (c.issue == 1)
        & (c.page != 0)
        & (c.doi != 0)
        & (c.pmid != 0)
        & (((c.flags_1 | c.flags_2) & several) == 0)
    )


def one_issue(c: Comparison) -> Bools:
    """One issue of one journal, and nothing that says two places in it; not of a meeting: its issues hold hundreds."""
    several = CONFERENCE | SUPPLEMENT | COCHRANE
    return np.asarray(
        (c.journal >= 0.8)
        & (c.volume == 1)
        & (c.issue == 1)
        & (c.page != 0)
        & (c.last_page != 0)
        & (c.year_gap <= 1)
        & (c.doi != 0)
        & (c.pmid != 0)
        & (((c.flags_1 | c.flags_2) & several) == 0)
    )


def under_a_heading(c: Comparison) -> Bools:
    """In one issue by the same authors, and one title has the heading of its section before it ("Research note:"), or
    the mark of a footnote behind it.
    """
    long, very_long = c.length >= LONG_TITLE, c.length >= VERY_LONG_TITLE
    by_them = (long & same_authors(c)) | (very_long & (c.authors >= 0) & ~other_authors(c))
    by_all = (c.length >= 20) & (c.first >= 0.85) & (c.authors >= 0.85)
    return np.asarray(c.headed & (by_them | by_all) & one_issue(c))


def recurring(c: Comparison) -> Bools:
    """A title that comes back with every issue or meeting: "Editorial", "In this issue"."""
    return np.asarray(((c.flags_1 | c.flags_2) & RECURRING) != 0)


def elsewhere(c: Comparison) -> Bools:
    """A number or a part of the place says that the two stand at different places."""
    return np.asarray(
        (c.doi == 0) | (c.pmid == 0) | (c.volume == 0) | (c.issue == 0) | (c.page == 0) | (c.last_page == 0)
    )


def worth_asking(c: Comparison) -> Bools:
    """A long title by the same authors: asked about, whatever a veto says, where nothing but the journal differs (its
    name may be that of a meeting), or where the abstract is the same too (a reprint, or a record with a wrong place).
    And what the same authors have in one issue, where one title lies in the other or is missing; a very long title that
    lies in another, whoever is named.
    """
    one_kind = ((c.flags_1 ^ c.flags_2) & (ERRATUM | REPLY | WITHDRAWN | PREPRINT | REGISTRATION | THESIS)) == 0
    alike = c.title_equal & (c.length >= LONG_TITLE) & (c.first >= 0.85) & (c.authors >= 0.85) & one_kind
    same_text = c.abstract >= 0.95
    unplaced = (
        (c.length >= VERY_LONG_TITLE) & (c.year_gap <= 1) & (c.year_gap >= 0) & ~elsewhere(c)
        & (((c.flags_1 ^ c.flags_2) & SUPPLEMENT) == 0) & (c.abstract < 0)
    )  # fmt: skip
    theirs = (c.length > 0) & same_authors(c)
    in_part = c.inside & (theirs | (c.length >= VERY_LONG_TITLE))
    untitled = (c.length == 0) & (c.first >= 0.85) & (c.authors >= 0.85)
    return np.asarray((alike & (same_text | unplaced)) | ((in_part | untitled) & one_kind & one_issue(c)))


def same_journal(c: Comparison) -> Bools:
    """One name can stand for the other."""
    return np.asarray(c.journal >= 0.8)


def journal_not_other(c: Comparison) -> Bools:
    """The names agree a little, or one is missing."""
    return np.asarray((c.journal < 0) | (c.journal >= 0.4))


def identical(c: Comparison) -> Bools:
    """Long title, authors, year, volume and journal are one, no number in conflict: damaged pages do not count."""
    return np.asarray(
        c.title_equal
        & (c.length >= LONG_TITLE)
        & (c.first >= 0.85)
        & (c.authors >= 0.7)
        & (c.year_gap == 0)
        & (c.journal >= 0.8)
        & (c.volume == 1)
        & (c.issue != 0)
        & (c.doi != 0)
        & (c.pmid != 0)
    )


def _same_year(c: Comparison) -> Bools:
    return np.asarray(c.year_gap == 0)


def _near_year(c: Comparison) -> Bools:
    return np.asarray((c.year_gap >= -1) & (c.year_gap <= 1))


def _no_conflict_of_place(c: Comparison) -> Bools:
    return np.asarray((c.volume != 0) & (c.page != 0) & (c.issue != 0))


RULES = (
    Rule(
        "same DOI",
        ("doi", "title"),
        lambda c: (c.doi == 1) & same_number(c) & (near_title(c) | (c.title >= 0.9) | c.translated)
    ),
    Rule(
        "same PubMed number",
        ("pmid", "title"),
        lambda c: (c.pmid == 1) & same_number(c) & (near_title(c) | c.translated)
    ),
    Rule(
        "same title, volume and page",
        ("title", "volume", "page", "year", "authors"),
        lambda c: same_title(c) & (c.volume == 1) & (c.page == 1) & no_other_authors(c) & _near_year(c),
    ),
    Rule(
        "same title, journal, year and page",
        ("title", "journal", "year", "page", "authors"),
        lambda c: same_title(c) & (c.journal >= 0.7) & (c.page == 1) & _near_year(c) & no_other_authors(c),
    ),
    Rule(
        "same title, authors, year and page",
        ("title", "authors", "year", "page"),
        lambda c: same_title(c) & same_authors(c) & (c.page == 1) & _same_year(c) & (c.volume != 0),
    ),
    Rule(
        "same title, authors, journal and year",
        ("title", "authors", "journal", "year"),
        lambda c: (
            same_title(c) & same_authors(c) & (c.journal >= 0.7) & _same_year(c) & _no_conflict_of_place(c)
            & (c.length >= 20)
        ),
    ),
    Rule(
        "same title, authors, journal and volume",
        ("title", "authors", "journal", "volume"),
        lambda c: (
            same_title(c) & same_authors(c) & (c.journal >= 0.7) & (c.volume == 1) & (c.page != 0) & _near_year(c)
        ),
    ),
    Rule(
        "same title, authors, volume and year",
        ("title", "authors", "volume", "year"),
        lambda c: (
            same_title(c) & same_authors(c) & (c.volume == 1) & _same_year(c) & _no_conflict_of_place(c)
            & (c.length >= LONG_TITLE)
        ),
    ),
    Rule(
        "same title, authors and abstract",
        ("title", "authors", "abstract", "year"),
        lambda c: (
            same_title(c) & same_authors(c) & (c.abstract >= 0.9) & _near_year(c) & _no_conflict_of_place(c)
            & (c.length >= 20) & journal_not_other(c)
        ),
    ),
    Rule(
        "same title, journal, year and abstract",
        ("title", "journal", "year", "abstract"),
        lambda c: (
            same_title(c) & no_other_authors(c) & (c.journal >= 0.7) & _same_year(c) & (c.abstract >= 0.95)
            & _no_conflict_of_place(c)
        ),
    ),
    Rule(
        "same authors and pages from first to last",
        ("authors", "volume", "pages", "year", "journal"),
        lambda c: same_extent(c) & (c.journal >= 0.7),
    ),
    Rule(
        "same authors and pages, a subtitle left out",
        ("title", "authors", "pages", "year", "journal"),
        subtitle_left_out,
    ),
    Rule(
        "identical but for the pages",
        ("title", "authors", "journal", "volume", "year"),
        identical,
    ),
    Rule(
        "same title and authors in one issue",
        ("title", "authors", "journal", "volume", "issue"),
        same_issue,
    ),
    Rule(
        "same title and authors in one issue, one under a heading",
        ("title", "authors", "journal", "volume", "issue"),
        under_a_heading,
    ),
    Rule(
        "same title, authors and journal, one printed later",
        ("title", "authors", "journal", "year"),
        lambda c: (
            same_title(c) & same_authors(c) & (c.journal >= 0.7) & (c.year_gap == 1) & (c.volume != 0) & (c.page != 0)
            & ((c.volume < 0) | (c.page < 0)) & c.placed & (c.length >= LONG_TITLE)
            & (((c.flags_1 | c.flags_2) & CONFERENCE) == 0)
        ),
    ),
    Rule(
        "same place, one title longer",
        ("title", "authors", "volume", "page", "year"),
        lambda c: (
            near_title(c) & same_authors(c) & (c.volume == 1) & (c.page == 1) & _near_year(c)
            & (journal_not_other(c) | same_extent(c)) & (c.issue != 0)
        ),
    ),
    Rule(
        "same title, authors and year, nothing else given",
        ("title", "authors", "year"),
        lambda c: (
            c.title_equal & (c.authors >= 0.95) & _same_year(c) & _no_conflict_of_place(c)
            & (c.length >= VERY_LONG_TITLE) & (c.journal < 0) & (c.doi != 0)
        ),
    ),
)  # fmt: skip


def first_rule(c: Comparison) -> np.ndarray[tuple[int], np.dtype[np.int8]]:
    """The position in :data:`RULES` of the first rule that holds for each pair, -1 for none."""
    found = np.full(len(c), -1, dtype=np.int8)
    for k in range(len(RULES) - 1, -1, -1):
        found[RULES[k].holds(c)] = k
    return found
