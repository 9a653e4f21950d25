"""``balm dedupe``: counts, questions side by side, the table of pairs and the unique records."""

from __future__ import annotations

import csv
import json

import pytest

from balm.actions.deduplication import PAIR_COLUMNS, dedupe
from balm.actions.records import read_records
from balm.cli.deduplication import DEDUPE
from balm.vocabulary.problems import InputError

RIS = """TY  - JOUR
TI  - Ketamine for chronic neuropathic pain: a randomised trial
AU  - Lynch, Mary
PY  - 2015
JO  - Pain
VL  - 16
SP  - 221
EP  - 228
ER  -
"""


@pytest.fixture
def files(tmp_path):
    (tmp_path / "one.ris").write_text(RIS)
    (tmp_path / "two.ris").write_text(
        RIS.replace("Lynch, Mary", "Lynch ME") + RIS.replace("2015", "2019").replace("16", "20")
    )
    return tmp_path


def run(capsys, *words):
    import argparse

    parser = argparse.ArgumentParser()
    DEDUPE.configure(parser)
    status = DEDUPE.run(parser.parse_args([str(w) for w in words]))
    return status, capsys.readouterr().out


def test_it_writes_one_record_a_report_and_every_pair(files, capsys):
    unique, pairs = files / "unique.ris", files / "pairs.csv"
    status, out = run(capsys, files / "one.ris", files / "two.ris", "-o", unique, "--pairs", pairs)
    assert status == 0
    assert "3 records read\n1 duplicate merged into 1 report\n2 records left\n" in out
    assert len(read_records(unique)) == 2
    with open(pairs, newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == PAIR_COLUMNS
    assert (rows[0]["record_1"], rows[0]["record_2"], rows[0]["decision"]) == ("one.ris:1", "two.ris:1", "merge")
    assert 0 <= float(rows[0]["score"]) <= 1


def test_json_holds_counts_groups_and_pairs(files, capsys):
    _, out = run(capsys, files / "one.ris", files / "two.ris", "--json")
    told = json.loads(out)
    assert (told["records"], told["unique"], told["removed"]) == (3, 2, 1)
    assert told["group_list"] == [["one.ris:1", "two.ris:1"]]


def test_a_formula_in_an_id_is_no_formula_in_the_table(tmp_path):
    table = tmp_path / "a.csv"
    table.write_text(
        "id,title,authors,year,journal,pages\n"
        + "=cmd(),Ketamine for chronic pain of adults,Lynch ME,2015,Pain,5-9\n" * 2
    )
    dedupe(table, pairs=tmp_path / "pairs.csv")
    assert (tmp_path / "pairs.csv").read_text().splitlines()[1].startswith("'=cmd()")


@pytest.mark.parametrize(
    ("output", "pairs", "words"),
    [
        ("unique.doc", None, "must end in"),
        ("no/unique.ris", None, "no folder"),
        (None, "no/p.csv", "no folder"),
        ("p.csv", "p.csv", "two names"),
    ],
)
def test_a_wrong_target_is_told_before_anything_is_read(files, output, pairs, words):
    with pytest.raises(InputError, match=words):
        dedupe(files / "missing.ris", output=output and files / output, pairs=pairs and files / pairs)
