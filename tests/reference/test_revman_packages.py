"""A review package made from a RevMan file pools to RevMan's own totals, and its report can be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from balm.actions.review import Review
from balm.actions.revman import read_revman, write_package
from balm.review.revman.comparison import ABSOLUTE, RELATIVE, Result
from balm.review.revman.model import RevManReview
from balm.review.revman.stored_number import number
from balm.review.synthesis import AnalysisResult
from balm.stats.pooling.pooled import Pooled
from tests.reference.test_revman import FULL, ROWS


def numbers_of(fit: Pooled, model: str) -> dict[str, float]:
    shown = fit.displayed
    several = fit.k > 1
    return {
        "estimate": shown.estimate,
        "ci_low": shown.interval.low,
        "ci_high": shown.interval.high,
        "tau2": fit.tau2 if model == "random" and several else 0.0,
        "chi2": fit.q if several else 0.0,
        "z": abs(fit.statistic),
    }


def differences(review: RevManReview, analyses: dict[str, AnalysisResult]) -> tuple[int, list[str]]:
    """How many stored totals were looked up in the package, and every number of theirs that is not the same."""
    rounding = 0.0 if review.decimals is None else 0.500001 * 10.0**-review.decimals
    stored = {o.id: o for o in review.outcomes}
    looked, wrong = 0, []

    def compare(result: Result, fit: Pooled | None, said: dict[str, str], model: str) -> None:
        nonlocal looked
        looked += 1
        if fit is None:
            wrong.append(f"{result.id}: nothing pooled")
            return
        for name, ours in numbers_of(fit, model).items():
            value = number(said.get(name))
            if value is not None and not abs(ours - value) <= max(RELATIVE * abs(value), ABSOLUTE, rounding):
                wrong.append(f"{result.id}: {name}: stored {value!r}, package {ours!r}")

    for outcome in review.recompute().outcomes:
        analysis = analyses[outcome.total.id]
        given = stored[outcome.total.id]
        if outcome.total.held:
            compare(outcome.total, analysis.fit or analysis.whole, dict(given.stored), outcome.model)
        filled = [(r, s) for r, s in zip(outcome.subgroups, given.subgroups, strict=True) if s.rows]
        for place, (result, subgroup) in enumerate(filled):
            if result.held:
                compare(result, analysis.subgroups[place].fit, dict(subgroup.stored), outcome.model)
        test = number(given.stored.get("q"))
        if test and analysis.subgroup_test and given.settings.totals == "YES":
            ours = analysis.subgroup_test["q"]
            if not abs(ours - test) <= max(RELATIVE * abs(test), ABSOLUTE, rounding):
                wrong.append(f"{outcome.total.id}: subgroup test: stored {test!r}, package {ours!r}")
    return looked, wrong


@pytest.mark.parametrize("path", FULL)
def test_a_package_pools_to_revmans_totals(path: Path, tmp_path: Path) -> None:
    """Zero cells, corrections, subgroups and effects entered as such included; tolerances are those of recompute."""
    review = read_revman(path)
    write_package(review, tmp_path / "package")
    made = Review.load(tmp_path / "package")
    assert made.problems() == ()
    by_place = {str(a.outcome.definition).partition(" of ")[0]: a for a in made.synthesise().analyses}
    looked, wrong = differences(review, by_place)
    assert not wrong, "\n".join(wrong[:20])
    assert looked == review.recompute().stored > 0
    page = made.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(a.title.split(":")[0].split("&")[0][:12] in page for a in by_place.values() if "<" not in a.title)


@pytest.mark.parametrize("path", ROWS[::8])
def test_a_package_of_rows_alone_is_clean(path: Path, tmp_path: Path) -> None:
    """Without settings in the file every outcome still becomes an analysis of the package, or says why it cannot."""
    review = read_revman(path)
    write_package(review, tmp_path / "package")
    made = Review.load(tmp_path / "package")
    assert made.problems() == ()
    analyses = made.synthesise().analyses
    assert len(analyses) == len(review.outcomes)
    assert all(a.whole is not None or a.why_not_pooled for a in analyses)
