"""A meta-analysis of diagnostic accuracy in words: a sentence, a methods paragraph and a table."""

from __future__ import annotations

import math

from balm.report.methods_text import software
from balm.report.result_table import Table, html_of, text_of
from balm.stats.accuracy.accuracy import Accuracy, Summary
from balm.vocabulary.numbers import fixed, level, short

#: How the correction chooses studies, in words.
CORRECTED = {
    "only-zero": "studies with a zero cell",
    "if-any-zero": "all studies, as one has a zero cell",
    "all": "all studies",
}
ROWS = (
    ("Sensitivity", "sensitivity"),
    ("Specificity", "specificity"),
    ("Likelihood ratio of a positive test", "positive_lr"),
    ("Likelihood ratio of a negative test", "negative_lr"),
    ("Diagnostic odds ratio", "dor"),
)


def sentence(fit: Accuracy) -> str:
    """Sensitivity and specificity with their intervals, and the number of people behind them."""
    people, others = int(fit.tables.diseased.sum()), int(fit.tables.healthy.sum())
    ci = level(fit.level)
    named = {"sensitivity": fit.sensitivity, "specificity": fit.specificity}
    parts = [f"the summary {name} is {_cells(one)[0]} ({ci} CI {_cells(one)[1]})" for name, one in named.items()]
    plus, minus = (short(one.estimate, 2) for one in (fit.positive_lr, fit.negative_lr))
    return (
        f"In {fit.k} studies ({people} people with the condition, {others} without), {parts[0]} and {parts[1]}; "
        f"the likelihood ratio is {plus} for a positive test and {minus} for a negative one."
    )


def methods(fit: Accuracy) -> str:
    """Every choice in force."""
    if fit.model == "binomial":
        if fit.fit.points == 1:
            how = "by Laplace's approximation"
        else:
            change = fit.fit.integration_error
            left = f"; last change of the log-likelihood {change:.0e}" if math.isfinite(change) else ""
            how = f"by adaptive Gauss-Hermite quadrature ({fit.fit.points} nodes for each random effect{left})"
        said = (
            "Sensitivity and specificity were pooled under the bivariate random-effects model of the counts, with "
            f"binomial likelihoods (Chu and Cole 2006), fitted by maximum likelihood {how}, without a continuity "
            "correction."
        )
    else:
        named = "restricted maximum likelihood" if fit.method == "REML" else "maximum likelihood"
        said = (
            "Sensitivity and specificity were pooled under the bivariate random-effects model of their logits "
            f"(Reitsma et al. 2005), fitted by {named}."
        )
        if bool((fit.corrected.tp != fit.tables.tp).any()):
            said += f" {fit.add:g} was added to each cell of {CORRECTED[fit.to]}."
    if not fit.correlated:
        said += " The correlation between sensitivity and specificity across studies was taken as 0."
    return (
        f"{said} Intervals are Wald intervals of coverage {fit.level:g} on the logit or log scale. The summary ROC "
        "curve follows from the same model in the parameters of Rutter and Gatsonis (Harbord et al. 2007). The "
        f"search ended {fit.residual:.0e} standard errors from the optimum. {software()}"
    )


def text(fit: Accuracy) -> str:
    """The table that a terminal shows."""
    return text_of(_table(fit))


def html(fit: Accuracy) -> str:
    """The table that a notebook shows."""
    return html_of(_table(fit))


def _table(fit: Accuracy) -> Table:
    body = tuple((name, *_cells(getattr(fit, field))) for name, field in ROWS)
    spread = [short(math.sqrt(max(float(fit.between[i, i]), 0.0)), 3) for i in (0, 1)]
    lines = [f"Between studies: SD of logit sensitivity {spread[0]}, of logit specificity {spread[1]}."]
    if math.isfinite(fit.correlation):
        lines[0] = lines[0][:-1] + f"; their correlation {fixed(-fit.correlation, 2)}."
        if abs(fit.correlation) > 1.0 - 1e-6:
            lines.append("The correlation lies on its bound: the studies say little about it.")
    h = fit.hsroc
    if h.reason:
        lines.append(f"No summary curve: {h.reason}.")
    else:
        lines.append(
            f"HSROC: accuracy {short(h.lambda_, 3)}, threshold {short(h.theta, 3)}, asymmetry {short(h.beta, 3)}; "
            f"area under the curve {fixed(fit.area(), 3)}."
        )
    kind = "binomial likelihood, ML" if fit.model == "binomial" else f"normal approximation, {fit.method}"
    title = f"Diagnostic accuracy, bivariate model ({kind}): {fit.k} studies"
    return Table(title, ("Summary", "Estimate", f"{level(fit.level)} CI"), body, lines=tuple(lines))


def _cells(one: Summary) -> tuple[str, str]:
    """Proportions to three decimals, ratios to three digits."""
    values = (one.estimate, one.interval.low, one.interval.high)
    shown = [fixed(x, 3) if one.interval.high <= 1.0 else short(x, 3) for x in values]
    return shown[0], f"{shown[1]} to {shown[2]}"
