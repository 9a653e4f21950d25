"""A small review with a network: its files made from a list of arms, for tests of plan, report and certainty."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from balm.review.package import Package
from balm.review.reading import read_package
from balm.review.schema import TABLES

PLAN = """
[review]
id = "made"
title = "A made network"
version = "1"
date = "2026-01-01"
status = "a test"
[question]
population = "adults"
intervention = "drugs"
comparators = "each other"
outcomes = "relief, pain"
[[scales]]
id = "nrs"
name = "0-10"
low = 0
high = 10
unit = "points"
[[windows]]
id = "w"
name = "first week"
after = 0
until = 7
[[outcomes]]
id = "relief"
name = "Relief"
domain = "pain"
kind = "binary"
direction = "higher is better"
[[outcomes]]
id = "pain"
name = "Pain"
domain = "pain"
kind = "continuous"
direction = "lower is better"
scale = "nrs"
unit = "points"
"""

NETWORK = """
[[networks]]
id = "relief-network"
title = "Relief, all drugs"
outcome = "relief"
measure = "OR"
reference = "Placebo"
windows = ["w"]
"""

#: study, treatment, events, n: a triangle with a three-arm study, and a fourth drug on one leg.
TRIANGLE = (
    ("s1", "A", 30, 60), ("s1", "Placebo", 18, 62),
    ("s2", "A", 22, 50), ("s2", "Placebo", 15, 50),
    ("s3", "B", 40, 80), ("s3", "Placebo", 20, 78),
    ("s4", "A", 25, 55), ("s4", "B", 31, 57),
    ("s5", "A", 20, 44), ("s5", "B", 23, 45), ("s5", "Placebo", 12, 46),
    ("s6", "C", 14, 30), ("s6", "B", 16, 31),
)  # fmt: skip

#: Two versions of it: the three-arm study and the fourth drug came with the second.
VERSIONS = [
    {"version": "1", "kind": "version", "label": "First", "date": "2025-01-01", "studies": "s1; s2; s3; s4"},
    {"version": "2", "kind": "version", "label": "Second", "date": "2026-01-01", "studies": "s5; s6"},
]

Arm = tuple[object, ...]


def network_files(
    arms: Iterable[Arm] = TRIANGLE,
    *,
    networks: str = NETWORK,
    more: Mapping[str, Sequence[Mapping[str, str]]] | None = None,
    outcome: str = "relief",
) -> dict[str, bytes]:
    """The package: ``arms`` are (study, treatment, events, n) or (study, treatment, mean, sd, n)."""
    rows: dict[str, list[dict[str, str]]] = {"studies.csv": [], "arms.csv": [], "results.csv": []}
    checked = {"verified": "yes"}
    arms = [tuple(map(str, arm)) for arm in arms]
    for study in dict.fromkeys(arm[0] for arm in arms):
        rows["studies.csv"].append(
            {"study": study, "label": f"{study.capitalize()} 2020", "design": "parallel", "scope": "included"} | checked
        )
    held: dict[str, int] = {}
    for study, treatment, *numbers in arms:
        held[study] = held.get(study, 0) + 1
        arm = f"arm{held[study]}"
        role = "placebo" if treatment.casefold() == "placebo" else "intervention"
        named = {"label": treatment, "drug": treatment, "role": role}
        rows["arms.csv"].append({"study": study, "arm": arm} | named | checked)
        names = ("events", "n") if len(numbers) == 2 else ("mean", "sd", "n")
        rows["results.csv"].append(
            {
                "result": f"{study}-{arm}", "study": study, "arm": arm, "outcome": outcome, "timepoint": "week 1",
                "time": "7", "time_unit": "d", "scale": "" if outcome == "relief" else "nrs", "how_read": "reported",
                "usable": "yes", "page": "table 2", "quote": f"{treatment}: {numbers[0]}",
            } | dict(zip(names, numbers, strict=True)) | checked
        )  # fmt: skip
    for file, own in (more or {}).items():
        rows[file] = [*rows.get(file, ()), *map(dict, own)]
    files = {"review.toml": (PLAN + networks).encode()}
    for table in TABLES:
        if table.file in rows or table.required:
            out = io.StringIO()
            writer = csv.DictWriter(out, [c.name for c in table.columns], restval="", lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows.get(table.file, ()))
            files[table.file] = out.getvalue().encode()
    return files


def network_package(arms: Iterable[Arm] = TRIANGLE, **options: object) -> Package:
    """The package read; any problem in it fails the test."""
    package, problems = read_package(network_files(arms, **options), Path("made"))  # type: ignore[arg-type]
    assert package is not None, problems
    return package


def write(files: Mapping[str, bytes], folder: Path) -> Path:
    """The files on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder
