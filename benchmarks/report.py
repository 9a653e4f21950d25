"""The report of a large review in its three forms: 100 studies, 50 outcomes, an analysis and a forest plot each.

Times are CPU seconds of this process, and the ratio of each form to the synthesis itself. Run: python benchmarks/report.py
"""

from __future__ import annotations

import csv
import random
import tempfile
import time
from pathlib import Path

STUDIES, OUTCOMES = 100, 50
PLAN = """
[review]
id = "large"
title = "A large review"
version = "1"
date = "2026-01-01"
status = "Made up, to measure."

[question]
population = "Adults"
intervention = "Drug"
comparators = "Placebo"
outcomes = "Many"

[[eligibility]]
name = "Population"
include = "Adults"

[[windows]]
id = "end"
name = "end of treatment"
after = 0
until = 30
from_start = true

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
id = "o{i}"
name = "Outcome {i}"
domain = "harm"
kind = "binary"
direction = "lower is better"

[[analyses]]
id = "a{i}"
title = "Outcome {i}"
outcome = "o{i}"
comparison = "drug"
measure = "RR"
windows = ["end"]
designs = ["parallel"]
scopes = ["included"]
"""


def package(folder: Path) -> Path:
    """A package of made-up trials, the same every time."""
    from balm.review.schema import TABLES

    chance = random.Random(7)
    rows: dict[str, list[dict[str, object]]] = {"studies.csv": [], "arms.csv": [], "results.csv": [], "reports.csv": []}
    for s in range(STUDIES):
        n = chance.randint(30, 200)
        rows["reports.csv"].append({"report": f"r{s}", "studies": f"s{s}", "kind": "trial report", "verified": "yes",
                                    "citation": f"Author {s}. A trial. Journal 2020;1:{s}"})  # fmt: skip
        rows["studies.csv"].append({"study": f"s{s}", "label": f"Author {s} 2020", "year": 2020, "design": "parallel",
                                    "n_randomised": 2 * n, "scope": "included", "report": f"r{s}", "verified": "yes"})  # fmt: skip
        for arm, role, risk in (("drug", "intervention", 0.2), ("placebo", "placebo", 0.3)):
            rows["arms.csv"].append({"study": f"s{s}", "arm": arm, "label": arm.capitalize(), "role": role, "n": n,
                                     "verified": "yes"})  # fmt: skip
            for o in range(OUTCOMES):
                events = sum(chance.random() < risk for _ in range(n))
                rows["results.csv"].append({"result": f"s{s}-o{o}-{arm}", "study": f"s{s}", "outcome": f"o{o}", "time": 10,
                                            "time_unit": "d", "arm": arm, "n": n, "events": events, "report": f"r{s}",
                                            "how_read": "reported", "usable": "yes", "verified": "yes"})  # fmt: skip
    for table in TABLES:
        if table.file in rows:
            with (folder / table.file).open("w", newline="", encoding="utf-8") as out:
                writer = csv.DictWriter(out, [c.name for c in table.columns])
                writer.writeheader()
                writer.writerows(rows[table.file])
    plan = PLAN + "".join(OUTCOME.format(i=i) for i in range(OUTCOMES))
    (folder / "review.toml").write_text(plan, encoding="utf-8")
    return folder


def main() -> None:
    from balm.actions.report_out import report_bytes
    from balm.actions.review import Review

    with tempfile.TemporaryDirectory() as made:
        review = Review.load(package(Path(made)))
        for problem in review.problems()[:3]:
            print(problem)
        start = time.process_time()
        synthesis, flow = review.synthesise(), review.flow()
        base = time.process_time() - start
        print(f"{STUDIES} studies, {OUTCOMES} outcomes: synthesis {base:.2f} s")
        for ending in (".html", ".docx", ".pdf"):
            start, wall = time.process_time(), time.perf_counter()
            data = report_bytes(synthesis, flow, ending)
            cpu, wall = time.process_time() - start, time.perf_counter() - wall
            size = len(data) / 1e6
            print(
                f"{ending:6} {cpu:6.2f} s CPU {wall:6.2f} s wall, {cpu / base:5.1f} times the synthesis, {size:.1f} MB",
                flush=True,
            )


if __name__ == "__main__":
    main()
