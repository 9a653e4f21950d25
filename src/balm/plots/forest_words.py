"""The sentences of a forest plot: what was pooled and how, heterogeneity, tests, and the long text alternative."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any

from balm.plots.forest_columns import number_texts
from balm.plots.forest_numbers import Shown
from balm.plots.forest_options import ForestOptions
from balm.vocabulary.numbers import MINUS, fixed, level, p_value, percent, short
from balm.vocabulary.problems import InputError

_METHODS = {
    "inverse-variance": "IV",
    "mantel-haenszel": "M-H",
    "peto": "Peto",
    "glmm-fixed": "GLMM",
    "glmm-random": "GLMM, random levels",
    "glmm-conditional": "GLMM, conditional",
    "glmm-conditional-approximate": "GLMM, conditional",
    "glmm-one-group": "GLMM",
    "beta-binomial": "Beta-binomial",
    "firth": "Firth",
}
_MODELS = {"random": "Random", "common": "Fixed"}
_MODEL_LABELS = {"random": "random effects", "common": "common effect"}


def name_of_fit(fits: Sequence[Any], number: int, options: ForestOptions) -> str:
    """What tells one of several pooled results from the others: the caller's label, or its model."""
    if options.labels is not None:
        if len(options.labels) != len(fits):
            raise InputError(f"labels must name {len(fits)} results, the first one first; got {options.labels!r}")
        return str(options.labels[number])
    models = [str(fit.conventions.get("model", "")) for fit in fits]
    own = _MODEL_LABELS.get(models[number], models[number]) or f"model {number + 1}"
    if models.count(models[number]) == 1:
        return own
    method, estimator = _METHODS.get(fits[number].method, ""), fits[number].conventions.get("tau2")
    detail = ", ".join([str(x) for x in (method, estimator if models[number] == "random" else None) if x])
    return f"{own} ({detail})"


def method_line(fits: Sequence[Any], ci: str) -> str:
    """The line under the measure's name: "M-H, Fixed, 95% CI"."""
    if len(fits) > 1:
        return ci
    fit = fits[0]
    model = str(fit.conventions.get("model", ""))
    parts = [_METHODS.get(fit.method, fit.method), _MODELS.get(model, "")]
    if model == "random" and isinstance(fit.conventions.get("tau2"), str):
        parts.append(fit.conventions["tau2"])
    return ", ".join([part for part in [*parts, ci] if part])


def lines_of_fits(fits: Sequence[Any], shown: Shown) -> list[str]:
    """The lines about every pooled result, named where there are several."""
    if not shown.options.heterogeneity:
        return []
    lines = []
    for number, fit in enumerate(fits):
        name = f" ({name_of_fit(fits, number, shown.options)}):" if len(fits) > 1 else ":"
        lines += [line.replace(":", name, 1) for line in lines_of_fit(fit, shown)]
    return [*lines, *([told] if (told := beyond_the_pooled(shown)) else [])]


def beyond_the_pooled(shown: Shown) -> str:
    """What stands in the totals and was not pooled: studies that are not estimable keep their row and their counts."""
    if all(shown.pooled) or not any(key in shown.es.raw for key in ("n_1", "n")):
        return ""
    n = len(shown.pooled) - sum(shown.pooled)
    return f"Totals include {studies(n)} that {'is' if n == 1 else 'are'} not estimable and not pooled"


def lines_of_fit(fit: Any, shown: Shown) -> list[str]:
    """Heterogeneity, and the test of no effect where there is a value of no effect."""
    first = _heterogeneity(fit, shown.options.heterogeneity_interval)
    return [first] if shown.null is None else [first, _overall_test(fit)]


def _heterogeneity(fit: Any, method: str | None = None) -> str:
    """The line about heterogeneity; ``method`` adds intervals of tau² and I²."""
    if fit.k < 2 or fit.q != fit.q:
        return "Heterogeneity: not applicable"
    parts = []
    spread = fit.heterogeneity_interval(method) if method is not None else None
    if fit.conventions.get("model", "random") == "random" and fit.tau2 == fit.tau2:
        text = f"Tau² = {short(fit.tau2, 2)}"
        parts.append(text if spread is None else f"{text} [{short(spread.tau2.low, 2)}, {short(spread.tau2.high, 2)}]")
    parts.append(f"Chi² = {fixed(fit.q, 2)}, df = {fit.q_df} ({p_value(fit.q_p)})")
    if fit.i2 == fit.i2:
        text = f"I² = {percent(fit.i2)}"
        parts.append(text if spread is None else f"{text} [{percent(spread.i2.low)}, {percent(spread.i2.high)}]")
    return "Heterogeneity: " + "; ".join(parts)


def _overall_test(fit: Any) -> str:
    if fit.statistic != fit.statistic:
        return "Test for overall effect: not estimable"
    if fit.df == inf or fit.df != fit.df:
        return f"Test for overall effect: Z = {fixed(abs(fit.statistic), 2)} ({p_value(fit.p)})"
    df = f"{fit.df:.2f}".rstrip("0").rstrip(".")
    return f"Test for overall effect: t = {fixed(fit.statistic, 2, minus=MINUS)}, df = {df} ({p_value(fit.p)})"


def between_subgroups(result: Any) -> str:
    """The test for subgroup differences; empty where there is none."""
    q, df, p = result.q_between, result.q_between_df, result.q_between_p
    if not df or q != q:
        return ""
    i2 = max(0.0, (q - df) / q * 100) if q > 0 else 0.0
    return f"Test for subgroup differences: Chi² = {fixed(q, 2)}, df = {df:g} ({p_value(p)}), I² = {percent(i2)}"


def prediction_wanted(fit: Any, options: ForestOptions) -> bool:
    """Drawn when it exists; asked for, it must exist."""
    there = fit.prediction_interval is not None and fit.prediction_interval.low == fit.prediction_interval.low
    if options.prediction is None:
        return there and fit.conventions.get("model", "random") == "random" and fit.k > 2
    return options.prediction and there


def studies(k: int) -> str:
    """ "1 study", "13 studies"."""
    return "1 study" if k == 1 else f"{k} studies"


def description(fit: Any, shown: Shown, *, people: bool = True) -> str:
    """The long text alternative: the pooled result, its uncertainty and what it rests on."""
    options, name = shown.options, shown.name
    with_people = ""
    totals = [shown.raw(key) for key in ("n_1", "n_2", "n") if people and key in shown.es.raw]
    if totals:
        count = sum([v for part in totals for v, used in zip(part, shown.pooled, strict=True) if used and v == v], 0.0)
        with_people = f" with {number_texts([count])[0]} participants"
    if not options.overall:
        return f"{name} of {studies(fit.k)}{with_people}; the overall result is not shown."

    def text(x: float) -> str:
        tiny = shown.ratio and 0.0 < x < 10.0**-shown.digits
        return short(x, shown.digits) if tiny else fixed(x, shown.digits, minus=MINUS)

    estimate, low, high = shown.fit(fit)
    words = (
        f"{name} of {studies(fit.k)}{with_people}: pooled {text(estimate)}, "
        f"{level(fit.interval.level)} confidence interval {text(low)} to {text(high)}"
    )
    if shown.null is not None and fit.p == fit.p:
        words += f", {p_value(fit.p)}"
    if fit.i2 == fit.i2:
        words += f"; I² {percent(fit.i2)}"
    if prediction_wanted(fit, options):
        low, high = shown.prediction(fit)
        words += f"; {level(fit.prediction_interval.level)} prediction interval {text(low)} to {text(high)}"
    sides = options.favours_labels
    if sides is not None:
        words += f". Left of the line: {sides[0]}; right: {sides[1]}"
    return words + "."


def lines_of_clusters(fit: Any, shown: Shown) -> list[str]:
    """Where the variance of a multilevel model lies, and the test of no effect."""
    parts = [f"{c.name}: {', '.join([short(v, 2) for v in c.variances.tolist()])}" for c in fit.components]
    chi2 = f"Chi² = {fixed(fit.qe, 2)}, df = {fit.qe_df} ({p_value(fit.qe_p)})"
    if parts:
        lines = [f"Variance between levels of {'; '.join(parts)}; {chi2}; I² = {percent(fit.i2.total)}"]
    else:
        lines = [f"Heterogeneity: {chi2}"]
    if shown.null is None:
        return lines
    mean = fit.coefficients[0]
    return [*lines, _overall_test(mean)]


def description_of_clusters(fit: Any, shown: Shown) -> str:
    """The long text alternative of a multilevel model."""
    estimate, low, high = [fixed(x, shown.digits, minus=MINUS) for x in shown.fit(fit)]
    count = len(fit.clusters)
    within = f" in {count} clusters" if 0 < count < fit.k else ""
    return (
        f"{shown.name} of {fit.k} effects{within}: mean {estimate}, {level(fit.level)} confidence interval {low} to "
        f"{high}; multilevel model."
    )
