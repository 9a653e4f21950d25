"""Cross-over, cluster and change scores as reports give them, on their way into an analysis."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from balm.review.contrasts import FIRST_PERIOD, NO_ICC, analysis_rows, effects_of
from balm.review.package import AnalysisSpec, Package
from balm.review.plan import read_plan
from balm.review.reading import read_package
from balm.review.schema import TABLES
from balm.review.synthesis import rows_of

PLAN = """
[review]
id = "designs"
title = "Designs"
version = "1"
date = "2026-01-01"
status = "a test"
[question]
population = "p"
intervention = "i"
comparators = "c"
outcomes = "o"
[[scales]]
id = "nrs"
name = "0-10"
low = 0
high = 10
unit = "points"
[[scales]]
id = "mm"
name = "0-100, high is good"
low = 0
high = 100
unit = "mm"
reversed = true
[[windows]]
id = "w"
name = "first week"
after = 0
until = 7
[[outcomes]]
id = "pain"
name = "Pain"
domain = "pain"
kind = "continuous"
direction = "lower is better"
scale = "nrs"
unit = "points"
[[outcomes]]
id = "relief"
name = "Relief"
domain = "pain"
kind = "binary"
direction = "higher is better"
[[comparisons]]
id = "c"
name = "drug against placebo"
group_1 = "drug"
group_2 = "placebo"
roles_1 = ["intervention"]
roles_2 = ["placebo"]
"""


def package(design: str, results: list[dict[str, str]], contrasts: list[dict[str, str]] = ()) -> Package:
    """One study of ``design`` with two arms, in a package whose tables leave out what they do not use."""
    rows: dict[str, list[dict[str, str]]] = {
        "studies.csv": [{"study": "s", "label": "S 2020", "design": design, "scope": "included", "verified": "yes"}],
        "arms.csv": [
            {"study": "s", "arm": "a", "label": "drug", "role": "intervention", "verified": "yes"},
            {"study": "s", "arm": "b", "label": "placebo", "role": "placebo", "verified": "yes"},
        ],
        "results.csv": [
            {
                "result": f"r{i}", "study": "s", "outcome": "pain", "timepoint": "week 1", "time": "7",
                "time_unit": "d", "scale": "nrs", "how_read": "reported", "usable": "yes", "verified": "yes",
            } | cells
            for i, cells in enumerate(results)
        ],
        "contrasts.csv": [
            {
                "contrast": f"c{i}", "study": "s", "outcome": "pain", "timepoint": "week 1", "time": "7",
                "time_unit": "d", "arm_1": "a", "arm_2": "b", "usable": "yes", "verified": "yes",
            } | cells
            for i, cells in enumerate(contrasts)
        ],
    }  # fmt: skip
    files = {"review.toml": PLAN.encode()}
    for table in TABLES:
        if table.file in rows:
            used = [c.name for c in table.columns if not c.optional or any(c.name in r for r in rows[table.file])]
            lines = [",".join(used)] + [",".join(r.get(name, "") for name in used) for r in rows[table.file]]
            files[table.file] = ("\n".join(lines) + "\n").encode()
    found, problems = read_package(files, Path("designs"))
    assert found is not None, problems
    return found


def spec(outcome: str = "pain", measure: str = "MD", design: str = "parallel", **more: object) -> AnalysisSpec:
    return AnalysisSpec("x", "x", outcome, "c", measure, ("w",), (design,), ("included",), **more)  # type: ignore[arg-type]


def test_a_package_without_the_newer_columns_is_read() -> None:
    found = package("parallel", [{"arm": "a", "n": "10", "mean": "3", "sd": "1"}])
    assert found.results[0].value_is is None and found.studies[0].funding is None


def test_a_cluster_trial_counts_at_its_effective_size() -> None:
    """Handbook 23.1.4: 295 participants in clusters of 29.8 at ICC 0.02 are worth 187.2, 63 events 40."""
    clusters = {"outcome": "relief", "scale": "", "cluster_size": "29.8", "icc": "0.02"}
    found = package(
        "cluster",
        [clusters | {"arm": "a", "n": "295", "events": "63"}, clusters | {"arm": "b", "n": "330", "events": "84"}],
    )
    (row,), _ = analysis_rows(found, spec("relief", "RR", "cluster"))
    assert row.values["n_1"] == pytest.approx(187.2, abs=0.05)
    assert row.values["events_1"] == pytest.approx(40.0, abs=0.05)
    assert [s.what for s in row.steps] == ["effective sample size"] * 2
    assert effects_of([row], spec("relief", "RR", "cluster"), "RR").effect[0] == pytest.approx(
        math.log(63 / 295 / (84 / 330))
    )


def test_a_cluster_trial_that_allowed_for_its_clusters_stands_and_one_without_icc_says_so() -> None:
    arms = [{"arm": "a", "n": "50", "mean": "3", "sd": "2"}, {"arm": "b", "n": "50", "mean": "4", "sd": "2"}]
    (row,), _ = analysis_rows(package("cluster", arms), spec(design="cluster"))
    assert NO_ICC in row.notes
    adjusted = [a | {"icc": "0.05", "cluster_size": "20", "cluster_adjusted": "yes"} for a in arms]
    (row,), _ = analysis_rows(package("cluster", adjusted), spec(design="cluster"))
    assert row.values["n_1"] == 50 and not row.steps


def test_a_change_score_gets_its_sd_from_baseline_final_and_correlation() -> None:
    """Handbook 6.5.2.8: SDs 6.4 and 7.1 with r = 0.80 give 4.32; a reduction counts downwards."""
    change = {"value_is": "reduction", "baseline_sd": "6.4", "final_sd": "7.1", "baseline_r": "0.8", "n": "30"}
    found = package("parallel", [change | {"arm": "a", "mean": "3"}, change | {"arm": "b", "mean": "1"}])
    (row,), _ = analysis_rows(found, spec())
    assert row.values["mean_1"] == -3 and row.values["sd_1"] == pytest.approx(4.32, abs=0.005)
    assert effects_of([row], spec(), "MD").effect[0] == -2


def test_a_change_moves_to_another_scale_as_a_difference() -> None:
    change = {"value_is": "change", "scale": "mm", "n": "30", "sd": "20"}
    found = package("parallel", [change | {"arm": "a", "mean": "25"}, change | {"arm": "b", "mean": "10"}])
    (row,), _ = analysis_rows(found, spec())
    assert (row.values["mean_1"], row.values["mean_2"], row.values["sd_1"]) == (-2.5, -1.0, 2.0)


def test_a_reported_within_person_correlation_is_used() -> None:
    """Handbook 23.2.7.2: SDs 2.38 and 2.21, n = 10, r = 0.68 give SE 0.583."""
    arms = [
        {"arm": "a", "n": "10", "mean": "7.02", "sd": "2.38"},
        {"arm": "b", "n": "10", "mean": "6.52", "sd": "2.21"},
    ]
    found = package("cross-over", arms, [{"r": "0.68"}])
    (row,), _ = analysis_rows(found, spec(design="cross-over"))
    assert row.correlation == 0.68
    assert math.sqrt(effects_of([row], spec(design="cross-over"), "MD").variance[0]) == pytest.approx(0.583, abs=5e-4)
    (plain,), _ = analysis_rows(package("cross-over", arms), spec(design="cross-over"))
    assert plain.correlation is None and any("as if parallel" in n for n in plain.notes)


def test_the_first_period_alone_is_a_parallel_trial_and_the_second_is_never_pooled_with_it() -> None:
    one = {"n": "10", "sd": "2", "period": "first"}
    two = one | {"period": "second"}
    rows = [
        one | {"arm": "a", "mean": "3"},
        one | {"arm": "b", "mean": "5"},
        two | {"arm": "a", "mean": "9"},
        two | {"arm": "b", "mean": "9"},
    ]
    (row,), _ = analysis_rows(package("cross-over", rows), spec(design="cross-over"))
    assert (row.design, row.values["mean_1"], row.values["n_1"]) == ("parallel", 3, 10)
    assert FIRST_PERIOD in row.notes
    none, left = analysis_rows(package("cross-over", rows[2:]), spec(design="cross-over"))
    assert none == () and left == (("s", "reports only the second period of a cross-over trial"),)


@pytest.mark.parametrize(
    ("cells", "se"),
    [
        ({"sd_difference": "2", "pairs": "10"}, 0.632),  # Handbook 23.2.7.1
        ({"t": "0.86", "pairs": "10", "estimate": "0.5"}, 0.581),
        ({"t": "2.78", "n_1": "25", "n_2": "22", "estimate": "3.8"}, 1.367),  # Handbook 6.5.2.3
        ({"f": "7.7284", "estimate": "3.8"}, 1.367),
        ({"p": "0.008", "n_1": "25", "n_2": "22", "estimate": "3.8"}, 1.37),
        ({"se": "0.1", "icc": "0.02", "cluster_size": "29.8"}, 0.1255),
        ({"se": "0.1", "icc": "0.02", "cluster_size": "29.8", "cluster_adjusted": "yes"}, 0.1),
        ({"ci_low": "-0.819", "ci_high": "1.819", "pairs": "10", "estimate": "0.5"}, 0.583),
    ],
)
def test_a_contrast_gives_a_standard_error_from_whatever_it_reports(cells: dict[str, str], se: float) -> None:
    found = package("parallel", [], [{"measure": "MD", "estimate": "1"} | cells])
    (row,), left = rows_of(found, spec(contrasts=("c0",)))
    assert left == ()
    assert row.values["se"] == pytest.approx(se, abs=6e-3 if cells.get("p") else 6e-4)


def test_a_bound_of_p_gives_no_standard_error() -> None:
    found = package("parallel", [], [{"measure": "MD", "estimate": "1", "p": "<0.05", "n_1": "20", "n_2": "20"}])
    rows, left = rows_of(found, spec(contrasts=("c0",)))
    assert rows == () and left == (("s", "no standard error or interval beside the estimate"),)


def test_a_plan_says_how_many_people_extract_a_study() -> None:
    assert read_plan(PLAN)[0].extraction.extractors == 2  # type: ignore[union-attr]
    assert read_plan(PLAN + "\n[extraction]\nextractors = 1\n")[0].extraction.extractors == 1  # type: ignore[union-attr]
    _, problems = read_plan(PLAN + "\n[extraction]\nextractors = 3\n")
    assert [str(p) for p in problems] == ["review.toml, column extraction.extractors: must be 1 or 2; got 3"]


def test_impossible_design_fields_are_named() -> None:
    with pytest.raises(AssertionError, match=r"must lie between 0 and 1; got 1\.5.*column='icc'"):
        package("cluster", [{"arm": "a", "n": "10", "mean": "3", "sd": "1", "icc": "1.5", "cluster_size": "20"}])


def test_a_time_point_given_as_a_number_is_said_and_tells_comparisons_apart() -> None:
    """Day 2 and day 7 without words: the correlation of one is not that of the other."""
    time = {"timepoint": "", "time": "2", "time_unit": "d"}
    arms = [
        time | {"arm": "a", "n": "10", "mean": "3", "sd": "2"},
        time | {"arm": "b", "n": "10", "mean": "4", "sd": "2"},
    ]
    other = {"timepoint": "", "time": "7", "time_unit": "d", "r": "0.9"}
    (row,), _ = analysis_rows(package("cross-over", arms, [other]), spec(design="cross-over"))
    assert row.timepoint == "2 days" and row.correlation is None
    (row,), _ = analysis_rows(package("cross-over", arms, [other, time | {"r": "0.5"}]), spec(design="cross-over"))
    assert row.correlation == 0.5


def test_a_difference_between_groups_is_said_where_results_of_arms_are_pooled() -> None:
    found = package("cross-over", [], [{"estimate": "-1.2", "se": "0.4", "time": "3", "time_unit": "d"}])
    _, left = rows_of(found, spec(design="cross-over"))
    assert dict(left).popitem()[1].startswith("reported as a difference between groups (c0)"), left
