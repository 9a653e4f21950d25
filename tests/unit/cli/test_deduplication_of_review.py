"""``balm dedupe DIR``: merges, questions and decisions appended to duplicates.csv, and counts that follow them."""

from __future__ import annotations

import csv
import json

import pytest

from balm.actions.import_records import import_records
from balm.actions.review import Review
from balm.actions.screening import screening_of
from balm.cli.main import main

PAPER = """TY  - JOUR
TI  - {title}
AU  - {author}
PY  - {year}
JO  - Pain
VL  - {volume}
SP  - {page}
EP  - {last}
DO  - {doi}
ER  -
"""
TITLE = "Ketamine for chronic neuropathic pain of adults: a randomised trial"


def ris(*, title=TITLE, author="Lynch, Mary", year=2015, volume=16, page=221, last=228, doi=""):
    text = PAPER.format(title=title, author=author, year=year, volume=volume, page=page, last=last, doi=doi)
    return text.replace("DO  - \n", "")


@pytest.fixture
def review(tmp_path):
    """A package of two searches: a paper twice, its registration of another year, and one title cut short."""
    folder = tmp_path / "review"
    Review.new(folder)
    one, two = tmp_path / "medline.ris", tmp_path / "embase.ris"
    one.write_text(ris() + ris(title="Lidocaine in sciatica", page=1, last=4))
    two.write_text(ris(author="Lynch ME") + ris(title=TITLE.split(":")[0], page=900, last=905))
    import_records(folder, one, two)
    return folder


def rows(folder):
    with open(folder / "duplicates.csv", newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def told(capsys, *words):
    status = main(["dedupe", *map(str, words), "--json"])
    out = capsys.readouterr()
    return status, json.loads(out.out) if status == 0 else out.err


def removed(folder):
    return Review.load(folder).flow().duplicates


def test_a_merge_is_appended_once_and_counted_in_the_flow(review, capsys):
    before = (review / "records.csv").read_bytes()
    status, found = told(capsys, review)
    assert status == 0
    assert found["removed"] == 1 and found["appended"] >= 1
    merged = [r for r in rows(review) if r["decision"] == "duplicate"]
    assert [(r["record_1"], r["record_2"]) for r in merged] == [("embase.ris-1", "medline.ris-1")]
    assert merged[0]["rule"] == "same title, volume and page" and not merged[0]["person"] and merged[0]["time"]
    assert removed(review) == 1
    assert len(screening_of(review).records) == 3
    assert not Review.load(review).problems()
    after = (review / "duplicates.csv").read_bytes()
    assert told(capsys, review)[1]["appended"] == 0
    assert (review / "duplicates.csv").read_bytes() == after
    assert (review / "records.csv").read_bytes() == before


def test_volume_and_pages_come_from_the_raw_exports(review, capsys):
    """records.csv holds neither; the rule that merges rests on both."""
    assert "221" not in (review / "records.csv").read_text()
    assert told(capsys, review)[1]["pairs"][0]["rule"] == "same title, volume and page"


def test_a_question_stands_as_undecided_and_is_no_duplicate(review, capsys):
    told(capsys, review)
    asked = [r for r in rows(review) if r["decision"] == "undecided"]
    assert asked and all(not r["person"] and r["rule"] for r in asked)
    assert removed(review) == 1


def test_a_question_answered_is_not_asked_again(review, capsys):
    _, found = told(capsys, review)
    question = next(p for p in found["pairs"] if p["decision"] == "review")
    pair = question["record_1"], question["record_2"]
    _, found = told(capsys, review, "--duplicate", *pair, "--person", "Ada")
    assert found["by_hand"] == 1 and found["review"] == 0
    assert removed(review) == 2
    assert rows(review)[-1]["person"] == "Ada" and rows(review)[-1]["decision"] == "duplicate"


def test_undoing_a_merge_brings_the_record_back(review, capsys):
    told(capsys, review)
    status, found = told(capsys, review, "--undo", "embase.ris-1", "medline.ris-1", "--person", "Ada")
    assert status == 0 and found["kept_apart"] == 1
    assert removed(review) == 0
    assert len(screening_of(review).records) == 4
    # undoing the undoing: the rules speak again
    told(capsys, review, "--undo", "medline.ris-1", "embase.ris-1", "--person", "Ada")
    assert removed(review) == 1
    assert len({r["time"] for r in rows(review) if r["person"]}) == 2


@pytest.mark.parametrize(
    ("option", "reason"), [("--not-duplicate", ""), ("--same-study", "same study, different report")]
)
def test_kept_apart_in_later_imports_too(review, capsys, tmp_path, option, reason):
    told(capsys, review)
    told(capsys, review, option, "medline.ris-1", "embase.ris-1", "--person", "Ada")
    assert [r["rule"] for r in rows(review) if r["person"] == "Ada"] == [reason]
    third = tmp_path / "scopus.ris"
    third.write_text(ris(author="Lynch M.E."))
    import_records(review, third)
    _, found = told(capsys, review)
    assert not any({"medline.ris-1", "embase.ris-1"} <= set(ids) for ids in found["group_list"])
    assert any("scopus.ris-1" in ids for ids in found["group_list"])  # the third joins one of the two, not both
    assert removed(review) == 1


def test_a_chain_is_cut_and_never_merged_through(tmp_path, capsys):
    """Two papers with DOIs of their own, and a record without one that fits both."""
    folder, file = tmp_path / "review", tmp_path / "a.ris"
    Review.new(folder)
    file.write_text(ris(doi="10.1000/one") + ris() + ris(doi="10.1000/two"))
    import_records(folder, file)
    _, found = told(capsys, folder)
    assert not any({"a.ris-1", "a.ris-3"} <= set(ids) for ids in found["group_list"])
    assert removed(folder) == found["removed"] == 1


def test_a_merge_by_rule_that_no_longer_holds_is_taken_back(review, capsys):
    told(capsys, review)
    table = review / "records.csv"
    table.write_text(table.read_text().replace(TITLE, "Lidocaine for acute pain of children: a cohort", 1))
    told(capsys, review)
    taken_back = [r for r in rows(review) if r["rule"] == "no longer one report"]
    assert [(r["record_1"], r["decision"]) for r in taken_back] == [("embase.ris-1", "undecided")]
    assert removed(review) == 0
    assert told(capsys, review)[1]["appended"] == 0


def test_rows_written_either_way_round_are_one_pair(review, capsys):
    with open(review / "duplicates.csv", "w", newline="", encoding="utf-8") as stream:
        out = csv.writer(stream)
        out.writerow(["record_1", "record_2", "decision", "rule", "person", "time"])
        out.writerow(["medline.ris-1", "embase.ris-1", "duplicate", "", "Ada", "2026-01-01"])
        out.writerow(["embase.ris-1", "medline.ris-1", "duplicate", "", "Bea", "2026-01-02"])
    assert removed(review) == 1
    with open(review / "duplicates.csv", "a", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerow(["embase.ris-1", "medline.ris-1", "not duplicate", "", "Bea", "2026-01-03"])
    assert removed(review) == 0
    assert len(screening_of(review).records) == 4


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{review}", "--duplicate", "medline.ris-1", "embase.ris-1"], "--person"),
        (["{review}", "--duplicate", "medline.ris-1", "nobody", "--person", "Ada"], "no record 'nobody'"),
        (["{review}", "--person", "Ada"], "--person says who decides"),
        (["{review}", "medline.ris"], "one review package"),
        (["medline.ris", "--undo", "a", "b", "--person", "Ada"], "kept in a review package"),
    ],
)
def test_a_wrong_call_writes_nothing(review, capsys, words, message):
    before = (review / "duplicates.csv").read_bytes()
    status, error = told(capsys, *(w.format(review=review) for w in words))
    assert status == 1 and message in error
    assert (review / "duplicates.csv").read_bytes() == before


def test_the_command_prints_what_it_appended(review, capsys):
    assert main(["dedupe", str(review)]) == 0
    out = capsys.readouterr().out
    assert "1 duplicate merged into 1 report" in out and "appended to duplicates.csv" in out


def test_without_rapidfuzz_the_extra_is_named(review, capsys, monkeypatch):
    from balm.review.deduplication import likeness

    monkeypatch.setattr(likeness, "process", None)
    status, error = told(capsys, review)
    assert status == 1 and "pip install 'balm[records]'" in error
    assert Review.load(review).flow().database_results == 4  # everything else works
