"""A ratio is never 0.00: not in a table, a sentence, a figure or behind a number; other outcomes are named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from balm.report.document.parts import Listing, Paragraph, Picture
from balm.report.document.whole import document
from balm.report.html_report.table import Table
from balm.report.walk_back import quantities
from balm.review.flow import Flow
from balm.review.reading import read_package
from balm.review.schema import TABLES
from balm.review.synthesis import synthesise

PLAN = """
[review]
id = "small"
title = "Small ratios"
version = "1"
date = "2026-01-01"
status = "Made up."
[question]
population = "Adults"
intervention = "Drug"
comparators = "Placebo"
outcomes = "Death"
[[windows]]
id = "end"
name = "end of treatment"
after = 0
until = 30
[[comparisons]]
id = "drug"
name = "Drug against placebo"
group_1 = "Drug"
group_2 = "Placebo"
roles_1 = ["intervention"]
roles_2 = ["placebo"]
"""
OUTCOME = """
[[outcomes]]
id = "{id}"
name = "{name}"
domain = "harm"
kind = "binary"
direction = "lower is better"
[[analyses]]
id = "{id}"
title = "{name}"
outcome = "{id}"
comparison = "drug"
measure = "RR"
windows = ["end"]
designs = ["parallel"]
scopes = ["included"]
"""
#: Study -> outcome -> events and people of each arm.
EVENTS = {
    "Alpha": {"death": (0, 300, 40, 300), "relapse": (1, 100, 99, 100)},
    "Beta": {"death": (0, 400, 60, 400)},
    "Gamma": {"death": (1, 900, 300, 900)},
}


@pytest.fixture(scope="module")
def synthesis():
    said = {"verified": "yes", "usable": "yes"}
    rows: dict[str, list[dict[str, object]]] = {"studies.csv": [], "arms.csv": [], "results.csv": []}
    for study, outcomes in EVENTS.items():
        rows["studies.csv"].append({"study": study, "label": study, "design": "parallel", "scope": "included", **said})
        for i, (arm, role) in enumerate((("drug", "intervention"), ("none", "placebo"))):
            rows["arms.csv"].append({"study": study, "arm": arm, "label": arm, "role": role, **said})
            for outcome, numbers in outcomes.items():
                rows["results.csv"].append({"result": f"{study}-{outcome}-{arm}", "study": study, "outcome": outcome,
                                            "time": 10, "time_unit": "d", "arm": arm, "events": numbers[2 * i],
                                            "n": numbers[2 * i + 1], "how_read": "reported", **said})  # fmt: skip
    named = (("death", "Death"), ("relapse", "Relapse"))
    files = {"review.toml": (PLAN + "".join(OUTCOME.format(id=id, name=name) for id, name in named)).encode()}
    for table in TABLES:
        if table.file in rows:
            heads = [c.name for c in table.columns]
            lines = [",".join(heads)] + [",".join(str(r.get(h, "")) for h in heads) for r in rows[table.file]]
            files[table.file] = "\n".join(lines).encode()
    package, problems = read_package(files, Path("small"))
    assert package is not None, problems
    return synthesise(package)


@pytest.fixture(scope="module")
def blocks(synthesis):
    return [b for s in document(synthesis, Flow()).walk() for b in s.blocks]


def test_no_estimate_or_limit_of_a_ratio_is_written_as_nought(synthesis, blocks):
    titles = {"Effect (interval)", "Estimate (interval)"}
    seen = []
    for table in (b for b in blocks if isinstance(b, Table)):
        for row in (r for r in table.rows if not r.group):
            told = [cell.text for c, cell in zip(table.columns, row.cells, strict=True) if c.title in titles]
            seen += [part.strip("()") for text in told for part in text.split()]
            if row.cells[0].text == "Risk ratio" or "interval" in row.cells[0].text:
                seen.append(row.cells[1].text)
    seen += [q.printed for a in synthesis.analyses for q in quantities(a) if q.name.endswith(("ratio", "low"))]
    for block in blocks:
        if isinstance(block, Paragraph):
            seen += re.findall(r"CI (\S+) to", "".join(run.text for run in block.runs))
        elif isinstance(block, Picture) and "orest" in block.caption:
            seen += re.findall(r"\[(\S+),", block.figure.svg)
            seen += re.findall(r"interval (\S+) to", block.figure.description)
    assert len(seen) > 30 and "0.00027" in seen
    assert [text for text in seen if re.fullmatch(r"[\[(]?0\.0+", text)] == []


def test_a_study_with_other_outcomes_only_names_them(blocks):
    lists = ["".join(run.text for run in item) for b in blocks if isinstance(b, Listing) for item in b.items]
    assert "Beta; Gamma: no number for this outcome; reports Death" in lists
