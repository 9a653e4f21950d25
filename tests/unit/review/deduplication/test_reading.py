"""Titles, names, places and journals as the comparison sees them."""

from __future__ import annotations

import pytest

from balm.review.deduplication.blocking import candidate_pairs
from balm.review.deduplication.clusters import clusters_of
from balm.review.deduplication.duplicates import find_duplicates
from balm.review.deduplication.journals import journal_similarity, read_journal
from balm.review.deduplication.merged import merge_records
from balm.review.deduplication.names import read_authors, surname
from balm.review.deduplication.places import read_pages, read_volume
from balm.review.deduplication.prepared import prepare
from balm.review.deduplication.rules import RULES
from balm.review.deduplication.score import FEATURES, WEIGHTS
from balm.review.deduplication.title_words import ADDED, CONTRAST, SAME, title_difference
from balm.review.deduplication.titles import ERRATUM, RECURRING, REPLY, numbers, read_title
from balm.review.deduplication.vetoes import OF_PLACE, VETOES
from balm.vocabulary.problems import InputError
from balm.vocabulary.record import Record


@pytest.mark.parametrize(
    ("title", "words", "flags"),
    [
        ("Correction of anaemia with epoetin alfa", "correction of anaemia with epoetin alfa", ERRATUM),
        ("Corrigendum to: Ketamine (vol 12, pg 3, 2009)", "erratum ketamine", ERRATUM),
        ("Erratum: Ketamine in pain (The Journal of Pediatrics (M", "erratum ketamine in pain", ERRATUM),
        ("More on it... N Engl J Med. 2009 Jan 29;360(5):544-6", "more on it", 0),
        ("Pain in fran?ais", "pain in franais", 0),
        ("Pain. [Review] [45 refs]", "pain", 0),
        ("Pain (Provisional abstract)", "pain", 0),
        ("Pain.[Erratum appears in Lancet. 2011;12(8):722 Note: [corrected]]", "pain", 0),
        ("β-blockers", "beta blockers", 0),
        ("Editorial", "editorial", RECURRING),
        ("Ketamine: the authors' reply", "ketamine the authors reply", REPLY),
    ],
)
def test_read_title(title, words, flags):
    assert read_title(title)[:2] == (words, flags)


@pytest.mark.parametrize(
    ("title", "found"),
    [
        ("type ii diabetes", ("2",)),
        ("part one", ("1",)),
        ("vitamin b12", ("12",)),
        ("ketamine iv for pain", ("4",)),
        ("hepatitis", ()),
    ],
)
def test_numbers(title, found):
    assert numbers(title) == found


@pytest.mark.parametrize(
    ("pages", "read"),
    [
        ("1123-30", (1123, 1130, False)),
        ("e0143396", (143396, 0, False)),
        ("Suppl-12", (0, 0, True)),
        ("08-Aug", (0, 0, False)),
        ("2243-5; author reply 2243-5", (2243, 0, False)),
        ("pp. 5--9", (5, 9, False)),
        (None, (0, 0, False)),
    ],
)
def test_read_pages(pages, read):
    assert read_pages(pages) == read


def test_read_volume_does_not_trust_a_broken_parenthesis():
    assert read_volume("1)", None) == (0, 0, False)


@pytest.mark.parametrize(
    ("name", "family"),
    [("Wang, S S", "wang"), ("de-Schipp JA", "deschipp"), ("JA Smith", "smith"), ("Ta?a?aj, J", "taaaj")],
)
def test_surname(name, family):
    assert surname(name) == family


def test_no_author_is_not_an_author():
    assert read_authors(("Anonymous",)) == ("", "", 0)


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        ("Curr Opin Lipidol", "Current Opinion in Lipidology", True),
        ("JAMA", "Journal of the American Medical Association", True),
        ("Amcis 2017 Proceedings", "Americas Conference on Information Systems", True),
        ("European Heart Journal. Conference: ESC Congress", "European heart journal", True),
        ("Cir Cir", "Cirugia y Cirujanos", True),
        ("Pain", "European Journal of Pain", False),
        ("Cancer Research", "Clinical Cancer Research", False),
        ("Anesthesiology", "Annals of Surgery", False),
    ],
)
def test_journals(a, b, same):
    assert (journal_similarity(read_journal(a), read_journal(b)) >= 0.7) is same
    assert journal_similarity(read_journal(b), read_journal(a)) == journal_similarity(read_journal(a), read_journal(b))


@pytest.mark.parametrize(
    ("a", "b", "difference"),
    [
        ("pain in men", "pain in women", CONTRAST),
        ("iga nephropathy", "ige nephropathy", CONTRAST),
        ("nonsmall cell cancer", "non small cell cancer", SAME),
        ("tumours of the lung", "tumors of the lung", SAME),
        ("pain after surgery", "pain after surgery a trial", ADDED),
        ("intracellular calcium", "intercellular calcium", CONTRAST),
    ],
)
def test_title_difference(a, b, difference):
    assert title_difference(a, b) == difference == title_difference(b, a)


def test_every_rule_and_veto_has_its_own_name_and_every_feature_its_weight():
    names = [r.name for r in (*RULES, *VETOES)]
    assert len(set(names)) == len(names)
    assert {v.name for v in VETOES} >= OF_PLACE
    assert len(FEATURES) == len(WEIGHTS)


def test_a_thousand_editorials_make_few_pairs():
    records = [Record(id=str(k), title="Editorial", year=2000 + k % 20) for k in range(1000)]
    i, _ = candidate_pairs(prepare(records))
    assert len(i) < 60_000
    assert find_duplicates(records).groups == ()


def test_row_numbers_are_not_issues():
    records = [
        Record(id=str(k), title=f"Title {k}", volume="1", issue=str(1000 + k), source_file="a.xml") for k in range(60)
    ]
    assert not prepare(records).issue.any()
    assert prepare([Record(id="1", title="T", issue="3", source_file="b")]).issue[0] == 3


def test_clusters_join_the_surest_first_and_refuse_what_must_stay_apart():
    clusters, cut = clusters_of([(0, 1), (2, 3), (1, 2)], lambda a, b: {a, b} == {0, 3})
    assert sorted(clusters) == [[0, 1], [2, 3]] and cut == [(1, 2)]


def test_a_merged_record_takes_the_best_of_each_field_and_says_from_where():
    a = Record(id="a", title="KETAMINE FOR PAIN", doi="10.1/x", journal="Pain", keywords=("k",), pages="01-Jun")
    b = Record(
        id="b", title="Ketamine for pain", abstract="Long.", keywords=("k", "l"), authors=("A", "B"), pages="1-6"
    )
    merged, source = merge_records([a, b])
    assert (merged.title, merged.doi, merged.abstract, merged.pages) == ("Ketamine for pain", "10.1/x", "Long.", "1-6")
    assert merged.keywords == ("k", "l") and source["doi"] == ("a",) and source["keywords"] == ("b", "a")


def test_an_explanation_adds_up_to_the_score():
    import math

    a = Record(id="a", title="Ketamine for chronic neuropathic pain after injury", authors=("Lynch ME",), year=2015)
    b = Record(id="b", title="Ketamine for chronic neuropathic pain after injuries", authors=("Lynch ME",), year=2016)
    why = find_duplicates([a, b]).explain("a", "b")
    assert why.score == pytest.approx(1 / (1 + math.exp(-sum(w for _, _, w in why.contributions))), abs=1e-6)
    assert "first author agrees" in str(why)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda f: f.decide("a", "z", "duplicate", person="Ada"), "'z'"),
        (lambda f: f.decide("a", "b", "dup", person="Ada"), "decision must be one of"),
        (lambda f: f.decide("a", "b", "duplicate", person=" "), "person"),
        (lambda f: f.decide("a", "a", "duplicate", person="Ada"), "twice"),
        (lambda f: f.explain("a", "a"), "twice"),
    ],
)
def test_what_cannot_be_decided_says_why(call, words):
    found = find_duplicates([Record(id="a", title="A"), Record(id="b", title="B")])
    with pytest.raises(InputError, match=words):
        call(found)
