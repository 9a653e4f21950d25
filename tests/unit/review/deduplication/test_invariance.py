"""The result depends on what the records hold: not on their order, their batches, or decisions that were withdrawn."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from balm.review.deduplication.duplicates import find_duplicates
from balm.review.records.collection import Records
from balm.vocabulary.record import Record


def exports(n=40, seed=1):
    """Works with one to four copies each, and near neighbours of them."""
    rng = random.Random(seed)
    out = []
    for k in range(n):
        drug, place = rng.choice(["ketamine", "lidocaine", "morphine"]), rng.choice(["women", "men", "children"])
        first, joint = rng.randint(1, 900), rng.choice(["hip", "knee"])
        work = Record(
            id="",
            title=f"Effect of {drug} on pain and function of {place} after operations of the {joint}",
            authors=(rng.choice(["Lynch ME", "Dahan A", "Noppers IM"]), "Smith JA"),
            year=2000 + k % 9,
            journal="Pain",
            volume=str(100 + k % 9),
            pages=f"{first}-{first + 8}",
            doi=f"10.1000/w{k}",
        )
        for _ in range(rng.randint(1, 4)):
            shown = replace(
                work,
                doi=work.doi if rng.random() < 0.5 else None,
                pages=work.pages if rng.random() < 0.8 else None,
                title=(work.title or "").upper() if rng.random() < 0.3 else work.title,
            )
            out.append(replace(shown, id=f"r{len(out)}"))
    return out


def as_sets(found):
    return {frozenset(group.ids) for group in found.groups}


def questions(found):
    return {frozenset((p.record_1, p.record_2)) for p in found.review}


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_the_order_of_the_records_does_not_matter(seed):
    records = exports()
    found = find_duplicates(records)
    shuffled = records[:]
    random.Random(seed).shuffle(shuffled)
    again = find_duplicates(shuffled)
    assert as_sets(again) == as_sets(found)
    assert questions(again) == questions(found)
    assert {g.kept for g in again.groups} == {g.kept for g in found.groups}
    assert found.groups  # the test would otherwise show nothing


def test_a_later_import_gives_what_one_import_gives():
    records = exports()
    whole = find_duplicates(records)
    first = find_duplicates(records[:50])
    later = find_duplicates([*first.records, *records[50:]], decisions=first.decisions)
    assert as_sets(later) == as_sets(whole)
    # and no group of the first import fell apart
    assert all(any(old <= new for new in as_sets(later)) for old in as_sets(first))


def test_a_decision_and_its_undoing_leave_the_same_state():
    found = find_duplicates(exports())
    group = found.groups[0]
    apart = found.decide(group.ids[0], group.ids[1], "not duplicate", person="Ada")
    assert not any({group.ids[0], group.ids[1]} <= ids for ids in as_sets(apart))
    back = apart.undo(group.ids[0], group.ids[1], person="Ada")
    assert back.groups == found.groups
    assert back.pairs == found.pairs
    assert back.counts == found.counts
    assert list(back.unique) == list(found.unique)
    assert len(back.decisions) == 2  # appended, never taken away


def test_undoing_a_merge_by_rule_keeps_the_two_apart_and_counts_follow():
    a, b = exports(1, seed=3)[0], exports(1, seed=3)[0]
    found = find_duplicates([replace(a, id="a"), replace(b, id="b")])
    assert found.counts["removed"] == 1
    undone = found.undo("a", "b", person="Ada")
    assert undone.counts["removed"] == 0 and undone.counts["unique"] == 2 and undone.counts["kept_apart"] == 1
    assert not undone.review  # a person has answered; nobody is asked again


def test_not_a_duplicate_is_remembered_by_later_imports():
    a = replace(exports(1, seed=3)[0], id="a")
    found = find_duplicates([a, replace(a, id="b")]).decide(
        "a", "b", "not duplicate", person="Ada", reason="same study, different report"
    )
    later = find_duplicates([a, replace(a, id="b"), replace(a, id="c")], decisions=found.decisions)
    assert not any({"a", "b"} <= ids for ids in as_sets(later))
    assert later.same_study == (("a", "b"),)


def test_a_person_can_merge_what_no_rule_would():
    a, b = Record(id="a", title="Ketamine"), Record(id="b", title="Something else")
    found = find_duplicates([a, b]).decide("a", "b", "duplicate", person="Ada")
    assert found.groups[0].ids == ("a", "b")
    assert found.pairs[0].rule == "decided by Ada"
    assert found.counts["by_hand"] == 1 and found.counts["by_rule"] == 0


PLACED = Record(
    id="",
    title="Effect of ketamine on pain and function of women after operations of the hip",
    authors=("Lynch ME", "Smith JA"),
    year=2009,
    journal="Pain",
    volume="12",
    pages="221-228",
)


def test_a_merged_record_keeps_every_source_and_the_best_of_each_field():
    medline = replace(
        PLACED, id="19604642", pmid="19604642", title=PLACED.title.upper(), abstract="A trial.", keywords=("ketamine",),
        source_file="medline.nbib", ordinal=3, database="MEDLINE", pages="221-8", authors=("Lynch ME",),
    )  # fmt: skip
    embase = replace(
        PLACED, id="embase.ris:7", abstract="A trial in two centres of the hip.", keywords=("infusion",),
        doi="10.1000/x", source_file="embase.ris", ordinal=7, database="Embase", accession_numbers=("EMBASE:2011",),
    )  # fmt: skip
    scopus = replace(embase, id="s", doi=None, abstract=None, source_file="scopus.csv", ordinal=9, database="Scopus")
    found = find_duplicates([medline, embase, scopus])
    (group,) = found.groups
    assert set(group.sources) == {("medline.nbib", 3), ("embase.ris", 7), ("scopus.csv", 9)}
    assert group.sources[group.ids.index("s")] == ("scopus.csv", 9)
    merged = group.record
    assert set(merged.database.split("; ")) == {"MEDLINE", "Embase", "Scopus"}
    assert (merged.title, merged.pmid, merged.doi) == (PLACED.title, "19604642", "10.1000/x")
    assert merged.abstract == embase.abstract and merged.authors == PLACED.authors and merged.pages == "221-228"
    assert set(merged.keywords) == {"ketamine", "infusion"} and merged.accession_numbers == ("EMBASE:2011",)
    assert group.provenance["pmid"] == ("19604642",) and group.provenance["abstract"] == ("embase.ris:7",)
    assert [r.id for r in found.records] == ["19604642", "embase.ris:7", "s"]  # nothing is taken away
    assert list(found.unique) == [merged]


def test_a_decision_on_two_records_overrules_their_veto_for_their_groups():
    """Ada says that the page of one record is wrong; whoever stands on the same page as the other is meant too."""
    records = [replace(PLACED, id="a"), replace(PLACED, id="b"), replace(PLACED, id="c", pages="900-905", volume=None)]
    found = find_duplicates(records)
    assert as_sets(found) == {frozenset("ab")} and len(found.review) == 1
    joined = found.decide("a", "c", "duplicate", person="Ada")
    assert as_sets(joined) == {frozenset("abc")}
    assert joined.undo("a", "c", person="Ada").groups == found.groups


def test_a_decision_leaves_other_vetoes_standing():
    """Two DOIs, and a record without one: joining it to both takes two decisions, not one."""
    records = [
        replace(PLACED, id="a", doi="10.1000/a"),
        replace(PLACED, id="b"),
        replace(PLACED, id="c", doi="10.1000/c"),
    ]
    found = find_duplicates(records)
    assert len(found.groups) == 1 and len(found.groups[0].ids) == 2
    one = found.decide("b", "c", "duplicate", person="Ada")
    assert as_sets(one) == {frozenset("bc")}
    assert as_sets(one.decide("a", "b", "duplicate", person="Ada")) == {frozenset("abc")}


def test_rows_for_the_package_hold_one_row_a_removed_record_and_every_decision():
    found = find_duplicates(exports())
    assert sum(row.decision == "duplicate" for row in found.rows()) == found.counts["removed"]
    again = find_duplicates(found.records, decisions=found.rows())
    assert as_sets(again) == as_sets(found)


def test_rows_name_the_kept_record_first_and_leave_withdrawn_decisions_out():
    a, b = Record(id="a", title="Ketamine"), Record(id="b", title="Something else", doi="10.1/x")
    found = find_duplicates([a, b]).decide("a", "b", "duplicate", person="Ada")
    assert {(r.record_1, r.record_2) for r in found.rows()} == {("b", "a")}
    assert found.undo("a", "b", person="Ada").rows() == ()


@pytest.mark.parametrize("records", [[], [Record(id="a")], [Record(id="a"), Record(id="b")]])
def test_nothing_to_compare(records):
    found = find_duplicates(records)
    assert found.groups == () and found.pairs == () and len(found.unique) == len(records)


def test_ids_that_occur_twice_are_told_apart():
    a = exports(1, seed=3)[0]
    found = find_duplicates(Records([replace(a, id="x"), replace(a, id="x"), replace(a, id="x#2")]))
    assert sorted(found.groups[0].ids) == ["x", "x#2", "x#3"]
