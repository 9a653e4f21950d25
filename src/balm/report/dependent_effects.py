"""Multilevel, multivariate and cluster-robust results in words: a sentence, a methods paragraph, a table.

Coefficients stand on the analysis scale in tables; a mean effect is given on the displayed scale in sentences.
"""

from __future__ import annotations

import math
from typing import Any

from balm.report.methods_text import software
from balm.report.result_sentence import is_ratio, measure_name
from balm.report.result_table import Table, html_of, text_of
from balm.report.rounding import digits_for, i2_percent, number, to
from balm.stats.measures import MEASURES
from balm.stats.multilevel.cluster_robust import FEWEST_DF, Robust
from balm.stats.multilevel.coefficients import Coefficients
from balm.stats.multilevel.fitted import Component, Multilevel
from balm.stats.regression.meta_regression import Coefficient
from balm.stats.transforms import displayed
from balm.vocabulary.interval import Interval
from balm.vocabulary.numbers import level, p_value, short

_ESTIMATORS = {
    "REML": "restricted maximum likelihood (REML)",
    "ML": "maximum likelihood (ML)",
    "MM": "the multivariate method of moments (Jackson et al. 2013)",
    "VC": "unweighted moments",
    "common": "",
}
_INFERENCES = {
    "wald": "Wald intervals (normal distribution)",
    "t": "t distributions with effects less coefficients degrees of freedom",
    "t-containment": "t distributions with degrees of freedom by containment",
}
_STRUCTURES = {
    "CS": "compound symmetry",
    "HCS": "heteroscedastic compound symmetry",
    "UN": "an unstructured covariance",
    "DIAG": "independent variances of their own",
    "ID": "one variance",
    "AR": "first-order autoregression",
    "HAR": "heteroscedastic first-order autoregression",
    "CAR": "continuous-time autoregression",
}


def sentence(fit: Multilevel | Robust, *, minus: str = "-") -> str:
    """What was found: the mean or each coefficient, how sure, how much effects differ and where a new one would lie."""
    if len(fit.beta) == 1 and fit.design.intercept:
        said = [_mean(fit, minus)]
    else:
        rows = "; ".join(_coefficient(fit, c, minus) for c in fit.coefficients)
        said = [f"In {_where(fit)}, on the analysis scale of the {measure_name(fit.effects.measure)}: {rows}."]
    if isinstance(fit, Multilevel):
        said += [_differences(fit), _prediction(fit, minus)]
    elif fit.few:
        said.append(
            f"Fewer than {FEWEST_DF:g} degrees of freedom for {', '.join(fit.few)}: p values and intervals cannot be "
            "trusted."
        )
    return " ".join(part for part in said if part)


def methods(fit: Multilevel | Robust) -> str:
    """The model, its random effects and errors, estimator, inference and software."""
    said = f"The effect measure is the {measure_name(fit.effects.measure)} ({fit.effects.measure})."
    covariates = [n for n in fit.design.names if n != "intercept"]
    if covariates:
        said += f" Moderators were {', '.join(covariates)}."
    if isinstance(fit, Robust):
        degrees = "Satterthwaite" if fit.degrees == "satterthwaite" else "clusters less coefficients"
        said += (
            f" Standard errors allow for any dependence within {fit.clusters} clusters ({fit.kind}; Pustejovsky & "
            f"Tipton 2018), with {degrees} degrees of freedom."
        )
    else:
        given = fit.conventions.get("fixed", ())
        held = f" Given in advance and not estimated: {', '.join(given)}." if given else ""
        noted = "".join(f" {note}" for note in fit.notes)
        if fit.own is not None:
            noted += " Coefficients were taken under weights given in advance, not under those of the model."
        said += f" {_random(fit)}{noted}{held} {_errors(fit)} Tests and intervals take {_INFERENCES[fit.inference]}."
    return f"{said} {software()}"


def text(fit: Multilevel | Robust) -> str:
    """One row a coefficient, the random effects and the tests below, in fixed-width text."""
    return text_of(table(fit))


def html(fit: Multilevel | Robust) -> str:
    """The table as HTML, with the sentence under it."""
    return html_of(table(fit), sentence(fit))


def table(fit: Multilevel | Robust) -> Table:
    """Coefficients on the analysis scale."""
    exact = isinstance(fit, Multilevel) and fit.inference == "wald"
    header: tuple[str, ...] = (
        "Coefficient",
        "Estimate",
        "SE",
        f"{level(fit.level)} CI",
        "z" if exact else "t",
        "df",
        "P",
    )
    rows: tuple[tuple[str, ...], ...] = tuple(_row(c) for c in fit.coefficients)
    if exact:  # the normal distribution has no degrees of freedom to show
        header, rows = (*header[:5], header[6]), tuple((*row[:5], row[6]) for row in rows)
    if isinstance(fit, Robust):
        degrees = "Satterthwaite" if fit.degrees == "satterthwaite" else "clusters less coefficients"
        title = f"Cluster-robust inference ({fit.kind}, {degrees}): {fit.k} effects in {fit.clusters} clusters"
        lines = (
            [f"Fewer than {FEWEST_DF:g} degrees of freedom, do not rely on: {', '.join(fit.few)}"] if fit.few else []
        )
    else:
        title = f"{MEASURES[fit.effects.measure].name}: {_how(fit)}; {_where(fit)}"
        lines = _lines(fit)
    return Table(title, header, rows, lines=tuple(lines))


# -- parts -------------------------------------------------------------------------------------------------------------


def _shown(fit: Coefficients, value: float) -> float:
    return math.nan if math.isnan(value) else float(displayed(value, fit.effects.measure))  # type: ignore[attr-defined]


def _ends(fit: Any, interval: Interval) -> tuple[float, float]:
    low, high = sorted((_shown(fit, interval.low), _shown(fit, interval.high)))
    return low, high


def _mean(fit: Multilevel | Robust, minus: str) -> str:
    c = fit.coefficients[0]
    low, high = _ends(fit, c.interval)
    digits, ratio = digits_for([high - low]), is_ratio(fit)  # type: ignore[arg-type]
    how = _how(fit) if isinstance(fit, Multilevel) else f"cluster-robust, {fit.kind}"
    df = "" if math.isinf(c.df) else f", df {_degrees(c.df)}"
    p = f"; {p_value(c.p)}" if MEASURES[fit.effects.measure].scale.null is not None and not math.isnan(c.p) else ""
    return (
        f"Across {_where(fit)}, the pooled {measure_name(fit.effects.measure)} was "
        f"{number(_shown(fit, c.estimate), digits, ratio=ratio, minus=minus)} ({level(fit.level)} CI "
        f"{to(low, high, digits, ratio=ratio, minus=minus)}; {how}{df}{p})."
    )


def _coefficient(fit: Multilevel | Robust, c: Coefficient, minus: str) -> str:
    digits = digits_for([c.interval.high - c.interval.low])
    return (
        f"{c.name} {number(c.estimate, digits, minus=minus)} ({level(fit.level)} CI "
        f"{to(c.interval.low, c.interval.high, digits, minus=minus)}; {p_value(c.p)})"
    )


def _where(fit: Multilevel | Robust) -> str:
    if isinstance(fit, Robust):
        return f"{fit.k} effects in {fit.clusters} clusters"
    nested = [c for c in fit.components if c.count < fit.k]
    if not nested:
        return f"{fit.k} effects"
    outer = min(nested, key=lambda c: c.count)
    return f"{fit.k} effects in {outer.count} levels of {_group_name(outer)}"


def _group_name(component: Component) -> str:
    return component.name.split("|")[-1].strip()


def _model(fit: Multilevel) -> str:
    if not fit.components:
        return "common effect"
    if all(c.kind == "intercept" for c in fit.components):
        return f"{len(fit.components) + 1}-level model" if len(fit.components) > 1 else "random-effects model"
    return "multivariate model"


def _how(fit: Multilevel) -> str:
    return f"{_model(fit)}, {fit.method}" if fit.components else _model(fit)


def _degrees(df: float) -> str:
    return f"{df:.0f}" if df == round(df) else number(df, 1)


def _differences(fit: Multilevel) -> str:
    if not fit.components:
        return ""
    parts = []
    for c in fit.components:
        values = ", ".join(short(v) for v in c.variances.tolist())
        parts.append(f"between levels of {c.name} {values}")
    return (
        f"Variance of the true effects: {'; '.join(parts)} (I² {i2_percent(fit.i2.total)}; Q = {number(fit.qe, 2)}, "
        f"df = {fit.qe_df}, {p_value(fit.qe_p)})."
    )


def _prediction(fit: Multilevel, minus: str) -> str:
    if not fit.components or len(fit.beta) != 1 or not fit.design.intercept:
        return ""
    interval = fit.prediction_interval
    if math.isnan(interval.low):
        return ""
    low, high = _ends(fit, interval)
    ratio = is_ratio(fit)  # type: ignore[arg-type]
    width = digits_for([abs(_shown(fit, fit.interval.high) - _shown(fit, fit.interval.low))])
    return (
        f"The {level(fit.level)} prediction interval for a true effect in a new cluster is "
        f"{to(low, high, width, ratio=ratio, minus=minus)}."
    )


def _row(c: Coefficient) -> tuple[str, ...]:
    digits = max(digits_for([c.interval.high - c.interval.low]), 4)
    p = p_value(c.p).removeprefix("P ").removeprefix("= ") if not math.isnan(c.p) else "not estimable"
    df = "" if math.isinf(c.df) else _degrees(c.df)
    return (
        c.name,
        number(c.estimate, digits),
        number(c.se, digits),
        to(c.interval.low, c.interval.high, digits),
        number(c.statistic, 2),
        df,
        p,
    )


def _lines(fit: Multilevel) -> list[str]:
    lines = []
    for c in fit.components:
        values = ", ".join(_four(v) for v in c.variances.tolist())
        rho = ", ".join(f"{r:.3f}" for r in c.correlations.tolist())
        of = "" if len(c.variances) == 1 or len(c.levels) != len(c.variances) else f" ({', '.join(map(str, c.levels))})"
        more = f"; correlation {rho}" if c.inner_correlated and rho else ""
        kind = "" if c.kind == "intercept" else f", {c.kind}"
        lines.append(f"Variance between {c.count} levels of {c.name}{kind}: {values}{of}{more}")
    lines += fit.notes
    if fit.components:
        lines.append(f"I² = {i2_percent(fit.i2.total)}; Q = {number(fit.qe, 2)}, df = {fit.qe_df}, {p_value(fit.qe_p)}")
    if not math.isnan(fit.log_likelihood):
        lines.append(f"Log-likelihood {number(fit.log_likelihood, 4)} ({'ML' if fit.method == 'ML' else 'REML'})")
    if len(fit.beta) == 1 and fit.design.intercept:
        interval = fit.prediction_interval
        if fit.components and not math.isnan(interval.low):
            lines.append(f"{level(fit.level)} prediction interval: {to(interval.low, interval.high, 4)}")
        if not MEASURES[fit.effects.measure].scale.name.startswith("identity"):
            lines.append(f"As {measure_name(fit.effects.measure)}: {_mean_shown(fit)}")
    return lines


def _mean_shown(fit: Multilevel) -> str:
    low, high = _ends(fit, fit.interval)
    digits, ratio = digits_for([high - low]), is_ratio(fit)  # type: ignore[arg-type]
    return f"{number(_shown(fit, fit.estimate), digits, ratio=ratio)} ({to(low, high, digits, ratio=ratio)})"


def _four(x: float) -> str:
    return short(x, 4) if x else "0.0000"


def _random(fit: Multilevel) -> str:
    if not fit.components:
        return "The model has no random effects."
    parts = []
    for c in fit.components:
        if c.kind == "intercept":
            parts.append(f"random intercepts of {c.name} ({c.count} levels)")
        else:
            inner, _, outer = (part.strip() for part in c.name.partition("|"))
            how = _STRUCTURES.get(c.kind, f"the structure {c.kind}")
            parts.append(f"random effects of {inner} within {outer} with {how}")
    many = "multivariate" if any(c.kind != "intercept" for c in fit.components) else "multilevel"
    return f"A {many} model with {' and '.join(parts)} was fitted by {_ESTIMATORS[fit.method]}."


def _errors(fit: Multilevel) -> str:
    if fit.problem.sampling is None:
        return "Sampling errors were taken to be independent."
    return "Known covariances of the sampling errors entered the model."
