"""The study data that RevMan Web imports and exports: a package exported is read back without loss."""

from __future__ import annotations

import csv
import io
import zipfile
from pathlib import Path

import pytest

import balm
from balm.actions.review import Review
from balm.actions.revman import export_package, read_revman
from balm.review.revman.export import ARMS, RESULTS
from balm.vocabulary.problems import InputError

BUNDLED = Path(__file__).parents[4] / "reviews" / "ketamine-chronic-pain"


def table(header: tuple[str, ...], *rows: dict[str, str]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, header, restval="", lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return "\ufeff" + out.getvalue()


def result(study: str, arm: str, **cells: str) -> dict[str, str]:
    return {"Study": study, "Outcome": "Pain", "Data type": "Continuous", "Arm": arm} | {
        name.replace("_", " "): text for name, text in cells.items()
    }


def folder(tmp_path: Path, arms: str, results: str) -> Path:
    (tmp_path / "r-study-arms.csv").write_text(arms, encoding="utf-8", newline="")
    (tmp_path / "r-study-results.csv").write_text(results, encoding="utf-8", newline="")
    return tmp_path


def cells_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    out = tmp_path_factory.mktemp("revman") / "out"
    export_package(BUNDLED, out)
    return out


def test_a_package_exported_is_read_back_without_loss(exported):
    review = balm.read_revman(exported)
    package = Review.load(BUNDLED).package
    told = cells_of(next(exported.glob("*-study-results.csv")))
    assert review.format == "revman-web-studies" and not review.repairs
    assert len(review.results) == len(told) > 0
    for found, cells in zip(review.results, told, strict=True):
        own = {"Study": found.study, "Outcome": found.outcome, "Arm": found.arm, "Reference arm": found.reference_arm}
        held = {name.lower().replace("-", " "): text for name, text in cells.items() if name not in own and text}
        assert own == {name: cells[name] for name in own}
        assert dict(found.cells) == {k: " ".join(v.split()) if k != "footnotes" else v.strip() for k, v in held.items()}
    arms = cells_of(next(exported.glob("*-study-arms.csv")))
    assert [(a.study, a.name, a.intervention) for a in review.arms] == [
        (a["Study"], a["Arm"], a["Intervention"]) for a in arms
    ]
    labels = {
        " ".join(s.label.split()) for s in package.studies if s.scope in ("included", "single-arm", "sensitivity")
    }
    assert {s.label for s in review.studies} == labels
    (bias,) = exported.glob("*-risk-of-bias.csv")
    judged = [
        (row["Study"], name.removeprefix("Domain (judgement): "))
        for row in cells_of(bias)
        for name, text in row.items()
        if name.startswith("Domain (judgement): ") and text and text.lower() != "not applicable"
    ]
    assert judged and sorted((j.study_id, j.domain) for j in review.judgements) == sorted(judged)
    assert any(s.references for s in review.studies)


def test_a_zip_is_read_like_the_folder(exported, tmp_path):
    packed = tmp_path / "study-data.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        for path in exported.iterdir():
            archive.write(path, path.name)
    one, other = balm.read_revman(exported), balm.read_revman(packed)
    assert (one.comparisons, one.studies, one.judgements) == (other.comparisons, other.studies, other.judgements)
    assert (one.arms, one.results) == (other.arms, other.results)


def test_every_pair_of_interventions_is_compared_and_turned_the_same_way(tmp_path):
    arms = table(
        ARMS,
        *({"Study": "A 2001", "Arm": a, "Intervention": i} for a, i in (("k", "Ketamine"), ("p", "Placebo"))),
        *({"Study": "B 2002", "Arm": a, "Intervention": i} for a, i in (("p", "Placebo"), ("k", "Ketamine"))),
    )
    results = table(
        RESULTS,
        result("A 2001", "k", Sample_size="10", Mean="3", SD="1", Footnotes="'=as printed"),
        result("A 2001", "p", Sample_size="16", Mean="5", SE="0.5"),
        result("B 2002", "p", Sample_size="20", Mean="6", SD="2"),
        result("B 2002", "k", Sample_size="30", Mean="4", SD="3"),
        result("A 2001", "k") | {"Outcome": "Relapse", "Data type": "Dichotomous", "Cases": "0", "Sample size": "9"},
        result("A 2001", "p") | {"Outcome": "Relapse", "Data type": "Dichotomous", "Cases": "4", "Sample size": "9"},
        result("A 2001", "k") | {"Outcome": "Death", "Data type": "Dichotomous", "Effect measure": "Hazard ratio"}
        | {"Reference arm": "p", "Mean": "-0.5", "SE": "0.25", "Exp mean": "0.6065"},
    )  # fmt: skip
    review = read_revman(folder(tmp_path, arms, results))
    (comparison,) = review.comparisons
    assert comparison.name == "Ketamine versus Placebo"
    pain, relapse, death = sorted(comparison.outcomes, key=lambda o: ("Pain", "Relapse", "Death").index(o.name))
    assert [dict(row.data) for row in pain.rows] == [
        {"mean_1": 3, "sd_1": 1, "n_1": 10, "mean_2": 5, "sd_2": 2, "n_2": 16},
        {"mean_2": 6, "sd_2": 2, "n_2": 20, "mean_1": 4, "sd_1": 3, "n_1": 30},
    ]
    assert pain.rows[0].footnote == "=as printed"
    assert dict(relapse.rows[0].data) == {"events_1": 0, "n_1": 9, "events_2": 4, "n_2": 9}
    assert dict(death.rows[0].data) == {"effect": -0.5, "se": 0.25}
    assert death.settings.log_data and death.settings.measure_name == "Hazard ratio"


def test_results_of_one_arm_alone_are_no_comparison(tmp_path):
    arms = table(ARMS, {"Study": "A 2001", "Arm": "k", "Intervention": "Ketamine"})
    with pytest.raises(InputError, match="no study row was read"):
        read_revman(folder(tmp_path, arms, table(RESULTS, result("A 2001", "k", Sample_size="10", Mean="3", SD="1"))))
