"""One analysis from other sides: without each study in turn, study by study, and small studies against large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from balm.plots.figure import Figure
from balm.plots.forest import forest
from balm.plots.funnel import MIN_STUDIES
from balm.report.html_report.sensitivity_view import figures
from balm.report.html_report.table import Cell, Row, Table, columns
from balm.review.package import Package
from balm.review.synthesis import AnalysisResult
from balm.stats.pooling.cumulative import cumulative
from balm.stats.pooling.leave_one_out import leave_one_out
from balm.stats.pooling.pooled import Pooled
from balm.stats.pooling.series import Series
from balm.stats.small_study.small_study_test import small_study_test
from balm.vocabulary.problems import InputError

#: The test that suits a measure (Cochrane Handbook, 13.3.5.3; Sterne et al. 2011); Egger's for every other.
TEST_OF = {"OR": "harbord", "PETO": "harbord", "SMD": "pustejovsky"}


@dataclass(frozen=True)
class SeriesView:
    """A series as a figure and a table."""

    figure: Figure
    table: Table


def without_each(result: AnalysisResult) -> SeriesView | None:
    """The result without each study in turn; ``None`` where fewer than three are pooled."""
    fit = result.fit
    if fit is None or fit.k < 3:
        return None
    return _view(leave_one_out(fit), f"Leaving out one study: {result.title}", "leave-one-out", "Without", result)


def study_by_study(result: AnalysisResult, package: Package) -> SeriesView | None:
    """The result as it grew, by year of the study; in the order of the data where a year is not known."""
    fit = result.fit
    if fit is None or fit.k < 2:
        return None
    years: Mapping[str, int | None] = {s.label: s.year for s in package.studies}
    order = [years.get(label) for label in fit.effects.study]
    known = all(year is not None for year in order)
    grown = cumulative(fit, order if known else None)
    how = "by year" if known else "in the order of the data (not every study has a year)"
    return _view(grown, f"Cumulative {how}: {result.title}", "cumulative", "Up to and including", result)


def _view(series: Series, title: str, id: str, head: str, result: AnalysisResult) -> SeriesView:
    heads = columns(f"#{head}", ">Studies", ">Estimate", ">Low", ">High", ">P", ">I², %")
    rows = [Row((Cell(study), *figures(fit))) for study, fit in zip(series.study, series.fits, strict=True)]
    rows.append(Row((Cell("All studies"), *figures(series.fit)), classes="own"))
    better = "lower" if result.outcome.direction.startswith("lower") else "higher"
    groups = result.comparison.group_1, result.comparison.group_2
    options = {"arms": groups, "better": better} if groups[1] is not None else {}
    return SeriesView(forest(series, title=title, **options), Table(id, title, heads, tuple(rows), cards=True))


def small_studies(fit: Pooled | None) -> str:
    """The test for small-study effects in a sentence, or why there is none."""
    if fit is None or fit.k < MIN_STUDIES:
        k = 0 if fit is None else fit.k
        return (
            f"No funnel plot and no test: below {MIN_STUDIES} studies asymmetry cannot be told from chance (Cochrane "
            f"Handbook, 13.3.5.3), and {k if k else 'none'} {'is' if k < 2 else 'are'} pooled here. Reporting bias "
            "could not be assessed and is not ruled out."
        )
    try:
        return small_study_test(fit, TEST_OF.get(fit.measure, "egger")).summary
    except InputError as error:
        return f"The test for small-study effects cannot be done: {error}"
