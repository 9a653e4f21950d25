"""A dose-response meta-analysis in words: a sentence, a methods paragraph and a table."""

from __future__ import annotations

import math

from balm.report.methods_text import software
from balm.report.result_sentence import measure_name
from balm.report.result_table import Table, html_of, text_of
from balm.stats.distributions import norm_sf
from balm.stats.dose_response.covariance import COVARIANCES
from balm.stats.dose_response.dose_response import Curve, DoseResponse
from balm.stats.dose_response.second_stage import METHODS
from balm.stats.dose_response.trends import TRENDS
from balm.vocabulary.numbers import fixed, level, p_value, percent, plain, short


def sentence(fit: DoseResponse, *, minus: str = "-") -> str:
    """The ratio at the highest dose against the lowest (for a line: per unit), and how straight the trend is."""
    name = measure_name(fit.measure)
    studies = f"{fit.k} {'study' if fit.k == 1 else 'studies'}"
    ends = fit.predict([max(float(s.dose.max()) for s in fit.studies)])
    against = f"{_dose(ends.dose[0])} against {_dose(ends.reference)}"
    said = f"In {studies}, the {name} at a dose of {against} is {_ratio(ends, minus)}"
    if fit.trend.kind == "linear":
        one = fit.predict([1.0], reference=0.0)
        return f"{said}, along a line of {_ratio(one, minus, 4)} for each unit of dose; {p_value(fit.overall.p)}."
    bent = fit.nonlinearity
    return f"{said}; {p_value(fit.overall.p)} for any trend, {p_value(bent.p)} for a departure from a straight line."


def methods(fit: DoseResponse) -> str:
    """Every choice in force."""
    knots = f" with knots at {', '.join(_dose(k) for k in fit.trend.knots)}" if fit.trend.knots else ""
    way = (
        "a trend was fitted in each study by generalised least squares and the trends were pooled"
        if fit.stages == 2
        else "all log ratios were analysed in one stage with random trends of studies"
    )
    if fit.method == "common":
        way = way.replace(" with random trends of studies", "")
    way += f" by {METHODS[fit.method]}"
    if fit.k == 1:
        way = "the trend of the one study was fitted by generalised least squares, and nothing was pooled"
    shared = (
        "Log ratios of one study were taken as independent"
        if fit.covariances == "independent"
        else f"The covariance of log ratios that share a reference dose was rebuilt by {COVARIANCES[fit.covariances]}"
    )
    return (
        f"The dose-response trend was {TRENDS[fit.trend.kind]}{knots}. {shared}; {way}. "
        f"Intervals are normal ones of level {fit.level:g}. "
        f"{software()}"
    )


def text(fit: DoseResponse) -> str:
    """The table that a terminal shows."""
    return text_of(_table(fit))


def html(fit: DoseResponse) -> str:
    """The table that a notebook shows."""
    return html_of(_table(fit), sentence(fit))


def _table(fit: DoseResponse) -> Table:
    rows = []
    for name, row in fit.to_dict()["coefficients"].items():
        p = 2.0 * norm_sf(abs(row["estimate"] / row["se"]))
        interval = f"{short(row['low'], 4)} to {short(row['high'], 4)}"
        rows.append(
            (
                name,
                short(row["estimate"], 4),
                short(row["se"], 4),
                interval,
                p_value(p).removeprefix("P = ").removeprefix("P "),
            )
        )
    good = fit.goodness_of_fit
    notes = []
    if len(fit.names) > 1:
        bent = fit.nonlinearity
        notes.append(f"Non-linearity: chi² = {fixed(bent.statistic)}, df = {bent.df}, {p_value(bent.p)}")
    if fit.q_df > 0:
        about = "of trends between studies" if fit.stages == 2 else "of log ratios about the common trend"
        notes.append(
            f"Heterogeneity {about}: Q = {fixed(fit.q)}, df = {fit.q_df}, {p_value(fit.q_p)}; I² = {percent(fit.i2)}"
        )
    if not math.isnan(good.p):
        explained = f"; R² = {percent(100 * good.r2)}" if good.r2 >= 0.0 else ""
        notes.append(f"Fit: deviance = {fixed(good.deviance)}, df = {good.df}, {p_value(good.p)}{explained}")
    if fit.trend.knots:
        notes.append(f"Knots: {', '.join(_dose(k) for k in fit.trend.knots)}")
    name = measure_name(fit.measure)
    title = f"Dose-response meta-analysis, {fit.k} {'study' if fit.k == 1 else 'studies'}: log {name} by dose"
    return Table(
        f"{title}; {fit.trend.kind} trend, {fit.method}",
        ("", "Estimate", "SE", f"{level(fit.level)} CI", "P"),
        tuple(rows),
        lines=tuple(notes),
    )


def _ratio(curve: Curve, minus: str, digits: int = 2) -> str:
    ends = (curve.estimate[0], curve.low[0], curve.high[0])
    value, low, high = (fixed(math.exp(x), digits, minus=minus) for x in ends)
    return f"{value} ({level(curve.level)} CI {low} to {high})"


def _dose(value: float) -> str:
    return plain(float(value), 4)
