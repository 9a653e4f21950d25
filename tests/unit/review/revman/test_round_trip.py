"""What RevMan Web would import holds every number of a package: put back, the synthesis is the same."""

from __future__ import annotations

import csv
import io
import shutil
from math import exp
from pathlib import Path

import pytest

from balm.actions.review import Review
from balm.actions.revman import export_package, read_revman, write_package
from balm.review.revman.export import ARMS, INFORMATION, RESULTS
from balm.review.synthesis import Synthesis
from tests.reference.test_revman import FULL
from tests.unit.review.revman.made import dich, element, outcome, rm5, row
from tests.unit.review.revman.test_variations import base

Rows = list[dict[str, str]]


def rows_of(path: Path) -> Rows:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def write(path: Path, rows: Rows) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def numbers(synthesis: Synthesis) -> dict[str, tuple[float, ...]]:
    return {
        a.id: (a.whole.estimate, a.whole.se, a.whole.q, a.whole.tau2, float(a.whole.k))
        for a in synthesis.analyses
        if a.whole is not None
    }


def put_back(package: Path, exported: Path, into: Path) -> None:
    """A copy of the package whose numbers are taken from the exported files alone, joined by names as RevMan does."""
    shutil.copytree(package, into)
    studies = {r["study"]: r for r in rows_of(package / "studies.csv")}
    labels = {s: " ".join(studies[r["entry_of"] or s]["label"].split()) for s, r in studies.items()}
    marks = {s: studies[s]["label"].removeprefix(labels[s]) if r["entry_of"] else "" for s, r in studies.items()}
    names = {o.id: o.name for o in Review.load(package).package.meta.outcomes}
    listed = [(r["study"], r["arm"], r["label"]) for r in rows_of(package / "arms.csv")]
    twice = {(s, label) for i, (s, _, label) in enumerate(listed) if (s, label) in {(t, x) for t, _, x in listed[:i]}}
    arm_names = {(s, a): (f"{label} ({a})" if (s, label) in twice else label) + marks[s] for s, a, label in listed}
    given: dict[tuple[str, ...], dict[str, str]] = {}
    for r in rows_of(next(exported.glob("*-study-results.csv"))):
        key = (r["Study"], r["Outcome"], r["Arm"], r["Reference arm"])
        assert key not in given, f"{key} is exported twice"
        given[key] = r
    results, contrasts = rows_of(package / "results.csv"), rows_of(package / "contrasts.csv")
    for r in results:
        arm = arm_names[r["study"], r["arm"]]
        found = given.pop((labels[r["study"]], names[r["outcome"]], arm, ""), {})
        cells = {"n": "Sample size", "events": "Cases", "mean": "Mean", "sd": "SD"}
        r.update({ours: found.get(theirs, "") for ours, theirs in cells.items()})
    for c in contrasts:
        arms = arm_names[c["study"], c["arm_1"]], arm_names[c["study"], c["arm_2"]]
        found = given.pop((labels[c["study"]], names[c["outcome"]], *arms), {})
        ratio = bool(found.get("Exp mean"))
        c.update(estimate=repr(exp(float(found["Mean"]))) if ratio else found.get("Mean", ""), se=found.get("SE", ""))
        c.update(ci_low="", ci_high="")
    assert given == {}, f"exported, but not in the package: {list(given)[:3]}"
    write(into / "results.csv", results)
    if contrasts:
        write(into / "contrasts.csv", contrasts)


def check(source: Path, place: Path) -> None:
    write_package(read_revman(source), place / "package")
    written = export_package(place / "package", place / "out")
    assert [len(next(csv.reader([p.read_text(encoding="utf-8-sig").splitlines()[0]]))) for p in written[:3]] == [
        len(INFORMATION),
        len(ARMS),
        len(RESULTS),
    ]
    put_back(place / "package", place / "out", place / "again")
    before, after = (Review.load(place / name) for name in ("package", "again"))
    assert after.problems() == ()
    first, second = numbers(before.synthesise()), numbers(after.synthesise())
    assert first.keys() == second.keys() != set()
    for name, values in first.items():
        assert second[name] == pytest.approx(values, rel=1e-12, abs=1e-13, nan_ok=True), name
    ris = written[4].read_text(encoding="utf-8-sig")
    told = {line[6:] for line in ris.splitlines() if line.startswith("NS  - ")}
    used = {r["Study"] for r in rows_of(written[2])}
    assert used <= told == {r["Study"] for r in rows_of(written[0])}


def test_a_package_of_every_kind_of_outcome_comes_back_the_same(tmp_path: Path) -> None:
    source = tmp_path / "review.rm5"
    source.write_text(base(), encoding="utf-8")
    check(source, tmp_path)


@pytest.mark.parametrize(
    "path", [p for p in FULL if p.id in {"CD003188StatsDataOnly.rm5", "CD012692StatsDataOnly.rm5", "missing"}]
)
def test_a_published_review_comes_back_the_same(path: Path, tmp_path: Path) -> None:
    check(path, tmp_path)


def test_a_study_entered_several_times_is_one_study_for_revman(tmp_path: Path) -> None:
    """Its lines become arms of one study, with one record under its name, and come back as the rows they were."""
    old = element("DICH_SUBGROUP", {"ID": "S1", "NO": 1}, "<NAME>Old</NAME>" + dich("A", 1, 20, 4, 20))
    rows = dich("A", 0, 21, 5, 22) + dich("B", 2, 9, 5, 20) + dich("A", 3, 23, 6, 24)
    new = element("DICH_SUBGROUP", {"ID": "S2", "NO": 2}, f"<NAME>New</NAME>{rows}")
    ratios = "".join(row("IV_DATA", "A", ESTIMATE=y, SE="0.2") for y in ("-0.5", "0.1"))
    hazards = outcome("IV", f"<EFFECT_MEASURE>Hazard Ratio</EFFECT_MEASURE>{ratios}", LOG_DATA="YES", ID="I", NO=2)
    source = tmp_path / "review.rm5"
    deaths = outcome("DICH", old + new, EFFECT_MEASURE="OR", METHOD="MH", RANDOM="NO", TOTALS="YES", SUBGROUPS="YES")
    source.write_bytes(rm5(deaths, hazards, studies=["A", "B"]))
    check(source, tmp_path)
    information, arms = (
        rows_of(next((tmp_path / "out").glob(f"*-study-{name}.csv"))) for name in ("information", "arms")
    )
    assert [r["Study"] for r in information] == ["A", "B"]
    assert {(r["Arm"], r["Intervention"]) for r in arms if r["Study"] == "A"} == {
        (f"{name}{mark}", name) for name in ("Experimental", "Control") for mark in ("", " (entry 2)", " (entry 3)")
    }
    again = read_revman(tmp_path / "out")
    assert [s.label for s in again.studies] == ["A", "B"]
    first = next(o for o in again.outcomes if "Death" in o.name and o.rows[0].data.get("n_1"))
    told = [tuple(int(r.data[n]) for n in ("events_1", "n_1", "events_2", "n_2")) for r in first.rows if r.study == "A"]
    assert sorted(told) == [(0, 21, 5, 22), (1, 20, 4, 20), (3, 23, 6, 24)]


def test_two_studies_of_one_name_do_not_become_one(tmp_path: Path) -> None:
    both = "".join(f'<STUDY ID="STD-{i}" NAME="Smith 2001" YEAR="2001"/>' for i in "AB")
    made = rm5(outcome("DICH", dich("A", 1, 20, 4, 20) + dich("B", 2, 9, 5, 20), EFFECT_MEASURE="OR", METHOD="MH"))
    source = tmp_path / "review.rm5"
    source.write_bytes(made.replace(b"<INCLUDED_STUDIES>", b"<INCLUDED_STUDIES>" + both.encode()))
    write_package(read_revman(source), tmp_path / "package")
    export_package(tmp_path / "package", tmp_path / "out")
    again = read_revman(tmp_path / "out")
    assert sorted(s.label for s in again.studies) == ["Smith 2001 (smith-2001)", "Smith 2001 (smith-2001-2)"]
    assert len(again.outcomes[0].rows) == 2
