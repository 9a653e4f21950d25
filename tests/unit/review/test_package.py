"""A package read as a whole: what its files say about each other, and every problem at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from balm.review.reading import read_assumption, read_package
from balm.review.schema import TABLE_BY_FILE

PLAN = """
[review]
id = "r"
title = "T"
version = "1"
date = "2026-01-01"
status = "test"
[question]
population = "p"
intervention = "i"
comparators = "c"
outcomes = "o"
[[scales]]
id = "nrs"
name = "NRS"
low = 0
high = 10
unit = "points"
[[windows]]
id = "early"
name = "early"
after = 0
until = 7
from_start = true
[[outcomes]]
id = "pain"
name = "Pain"
domain = "pain"
kind = "continuous"
direction = "lower is better"
scale = "nrs"
[[outcomes]]
id = "responder"
name = "Responders"
domain = "pain"
kind = "binary"
direction = "higher is better"
[[comparisons]]
id = "drug-placebo"
name = "d v p"
group_1 = "drug"
group_2 = "placebo"
roles_1 = ["intervention"]
roles_2 = ["placebo"]
[[analyses]]
id = "a1"
title = "Responders"
outcome = "responder"
comparison = "drug-placebo"
measure = "RR"
windows = ["early"]
"""


def csv(file, *rows):
    names = [c.name for c in TABLE_BY_FILE[file].columns]
    lines = [",".join(names)] + [",".join(str(row.get(n, "")) for n in names) for row in rows]
    return ("\n".join(lines) + "\n").encode()


STUDIES = [
    {"study": s, "label": s.upper(), "design": "parallel", "scope": "included", "verified": "yes"} for s in ("s1", "s2")
]
ARMS = [
    {"study": s, "arm": a, "label": a, "role": r, "verified": "yes"}
    for s in ("s1", "s2")
    for a, r in (("drug", "intervention"), ("pbo", "placebo"))
]


def count(study, arm, events, n, **more):
    row = {"result": f"{study}-{arm}", "study": study, "outcome": "responder", "time": 1, "time_unit": "d", "arm": arm}
    return row | {"n": n, "events": events, "how_read": "reported", "usable": "yes", "verified": "yes"} | more


RESULTS = [count("s1", "drug", 5, 10), count("s1", "pbo", 2, 10), count("s2", "drug", 8, 20), count("s2", "pbo", 3, 20)]


def files(**changes):
    made = {
        "review.toml": PLAN.encode(),
        "studies.csv": csv("studies.csv", *STUDIES),
        "arms.csv": csv("arms.csv", *ARMS),
        "results.csv": csv("results.csv", *RESULTS),
    }
    for name, data in changes.items():
        name = name.replace("__", "/").replace("_csv", ".csv").replace("_toml", ".toml")
        made[name] = data
    return {name: data for name, data in made.items() if data is not None}


def problems(**changes):
    package, found = read_package(files(**changes), Path("x"))
    assert (package is None) == bool(found)
    return [str(p) for p in found]


def plan(old, new):
    assert old in PLAN
    return PLAN.replace(old, new, 1).encode()


def test_a_sound_package():
    package, found = read_package(files(), Path("x"))
    assert found == ()
    assert [s.study for s in package.studies] == ["s1", "s2"]
    assert package.meta.analyses[0].inference == "hartung-knapp-guarded"
    assert package.gaps == () and "gaps.csv" not in package.present


@pytest.mark.parametrize(
    "changes, wanted",
    [
        ({"review_toml": None}, "review.toml: the file is missing"),
        ({"results_csv": None}, "results.csv: the file is missing"),
        ({"review_toml": b"a = "}, "review.toml: not readable as TOML"),
        ({"review_toml": b"a = " + b"[" * 100_000}, "review.toml: not readable as TOML: values are nested too deeply"),
        (
            {"review_toml": b"a" + b".a" * 50_000 + b" = 1"},
            "review.toml: not readable as TOML: a key has more",
        ),
        ({"review_toml": b"a = " + b"9" * 100_000}, "review.toml: not readable as TOML: Exceeds the limit"),
        ({"review_toml": plan('"RR"', '"rr"')}, "(did you mean 'RR'?)"),
        ({"review_toml": plan('windows = ["early"]', 'windows = ["late"]')}, "'late' is not one of [[windows]]"),
        (
            {"review_toml": plan('measure = "RR"', 'measure = "RR"\ninference = "hksj"')},
            "did you mean 'hartung-knapp'?",
        ),
        ({"review_toml": plan('measure = "RR"', 'measure = "RR"\ntau = "DL"')}, "'tau' is not a field of this table"),
        ({"review_toml": plan('measure = "RR"', 'measure = "MD"')}, "MD is not for a binary outcome"),
        ({"review_toml": plan('"RR"', '"RR"\nstudies = ["s3"]')}, "'s3' is not a study of studies.csv"),
        ({"review_toml": plan("high = 10", "high = 0")}, "must be above low"),
        ({"review_toml": plan('version = "1"', "version = 1")}, "must be text; got 1"),
        ({"results_csv": csv("results.csv", count("s9", "drug", 1, 2))}, "row 1, column study: 's9' is not a study"),
        (
            {"results_csv": csv("results.csv", count("s1", "plb", 1, 2))},
            "column arm: 'plb' is not an arm of study 's1'",
        ),
        ({"results_csv": csv("results.csv", count("s1", "pbo", 612, 12))}, "study s1, arm 'pbo': events (612) exceed"),
        ({"results_csv": csv("results.csv", count("s1", "pbo", 1, ""))}, "1 events without the number of participants"),
        ({"results_csv": csv("results.csv", count("s1", "pbo", 1, 2, spread=1))}, "spread and spread_is come together"),
        ({"results_csv": csv("results.csv", count("s1", "pbo", 1, 2, q1=5, median=3))}, "median (3) is below q1 (5)"),
        ({"results_csv": csv("results.csv", count("s1", "pbo", 1, 2, usable="no"))}, "column why_not: "),
        ({"results_csv": csv("results.csv", *RESULTS, RESULTS[0])}, "row 5: is the same as row 1"),
        (
            {"results_csv": csv("results.csv", RESULTS[0], RESULTS[1] | {"result": "s1-drug"})},
            "stands in row 1 already",
        ),
        ({"studies_csv": b"\xff\xfe"}, "studies.csv: not UTF-8: byte 0xFF at position 1 of line 1"),
        ({"guidance__g_toml": b"[guideline]\n"}, "guidance/g.toml"),
    ],
)
def test_what_is_wrong_is_named(changes, wanted):
    if "guidance__g_toml" in changes:
        text = '[guideline]\nname = "G"\n[[statement]]\nid = "g1"\ntopic = "dose"\nstatement = "x"\nverified = true\n'
        changes = {"guidance__g_toml": text.encode()}
        wanted = "guidance/g.toml, row 1, column setting: must not be empty"
    found = problems(**changes)
    assert any(wanted in p for p in found), found


def test_problems_of_all_files_at_once():
    found = problems(
        review_toml=plan('"RR"', '"RRR"'),
        studies_csv=csv("studies.csv", STUDIES[0] | {"year": "old"}, STUDIES[1]),
        results_csv=csv("results.csv", count("s1", "pbo", 5, 2)),
    )
    assert {p.split(",")[0] for p in found} == {"review.toml", "studies.csv", "results.csv"}


def test_a_wrong_row_is_not_blamed_twice():
    found = problems(studies_csv=csv("studies.csv", STUDIES[0] | {"year": "old"}, STUDIES[1]))
    assert found == ["studies.csv, row 1, column year: must be a year such as 2009; got 'old'"]


@pytest.mark.parametrize("text", ["s1", "s1:1/2", "s1:3/2:0/2", "s1:a/2:0/2", "s1:1/2:0/0", "s1:1/2:0/2:1/2"])
def test_assumptions_that_cannot_be_read(text):
    assert read_assumption(text) is None
