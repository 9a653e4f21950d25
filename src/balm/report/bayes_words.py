"""A Bayesian meta-analysis in words: a sentence, a methods paragraph and a table."""

from __future__ import annotations

import math
from typing import Any

from balm.report.methods_text import software
from balm.report.result_sentence import measure_name
from balm.report.result_table import Table, html_of, text_of
from balm.stats.bayes.bayes import Bayes
from balm.stats.bayes.mixture import Summary
from balm.stats.transforms import displayed
from balm.vocabulary.numbers import fixed, level, short


def sentence(fit: Bayes, *, minus: str = "-") -> str:
    """The mean effect, how much effects differ and where a new one would lie, with credible intervals."""
    name = measure_name(fit.measure)
    ci = level(fit.level)
    median, low, high = (_shown(fit, x, minus) for x in (fit.mu.median, fit.mu.interval.low, fit.mu.interval.high))
    new = [_shown(fit, x, minus) for x in (fit.prediction.interval.low, fit.prediction.interval.high)]
    tau = [short(x, 3) for x in (fit.tau.median, fit.tau.interval.low, fit.tau.interval.high)]
    said = (
        f"In {fit.k} {'study' if fit.k == 1 else 'studies'}, the posterior median of the pooled {name} is {median} "
        f"({ci} credible interval {low} to {high}). The between-study standard deviation has posterior median {tau[0]} "
        f"({tau[1]} to {tau[2]}) under the prior {fit.prior.words}; the effect in a new setting lies between {new[0]} "
        f"and {new[1]} with probability {fit.level:g}."
    )
    if math.isfinite(fit.bayes_factor_mu0):
        factors = short(fit.bayes_factor_mu0, 3), short(fit.bayes_factor_tau0, 3)
        said += f" Bayes factors: {factors[0]} for no mean effect, {factors[1]} for no heterogeneity."
    return said


def methods(fit: Bayes) -> str:
    """Every choice in force."""
    parts = []
    for part in fit.mu_prior:
        if math.isnan(part.sd):
            parts.append("the coefficients had normal or flat priors as stated")
        elif math.isinf(part.sd):
            parts.append("the mean effect had a flat prior")
        else:
            share = "" if part.weight == 1.0 else f"with probability {part.weight:g} "
            parts.append(f"the mean effect had {share}a normal prior (mean {part.mean:g}, SD {part.sd:g})")
    stated = "; ".join(parts)
    stated = stated[0].upper() + stated[1:]
    return (
        f"Effects were pooled under the normal-normal hierarchical model (Röver 2020). {stated}, "
        f"and the between-study standard deviation the prior {fit.prior.words} ({fit.prior.kind.source}). Posterior "
        f"distributions were computed by deterministic quadrature (relative change at the last refinement "
        f"{fit.residual:.0e}), without simulation; intervals are the {fit.interval_kind} ones of probability "
        f"{fit.level:g}. {software()}"
    )


def text(fit: Bayes) -> str:
    """The table that a terminal shows."""
    return text_of(_table(fit))


def html(fit: Bayes) -> str:
    """The table that a notebook shows."""
    return html_of(_table(fit))


def _table(fit: Bayes) -> Table:
    rows = [("mean effect", fit.mu), ("tau", fit.tau), ("new setting", fit.prediction)]
    rows += list(zip(fit.names, fit.coefficients, strict=True))
    body = tuple((name, *_cells(s)) for name, s in rows)
    ci = level(fit.level)
    notes = [f"Prior of tau: {fit.prior.words}."]
    notes += [f"{name}: {why}." for name, why in fit.reasons.items() if name == "log_marginal"]
    if math.isfinite(fit.log_marginal):
        notes.append(
            f"Log marginal likelihood {fixed(fit.log_marginal, 4)}; Bayes factors for tau = 0 "
            f"{short(fit.bayes_factor_tau0, 3)}, for no mean effect {short(fit.bayes_factor_mu0, 3)}."
        )
    title = f"Bayesian random-effects meta-analysis, {fit.k} studies, {measure_name(fit.measure)} on the analysis scale"
    return Table(title, ("", "Median", f"{ci} credible interval", "Mean", "SD", "Mode"), body, lines=tuple(notes))


def _cells(s: Summary) -> tuple[str, ...]:
    return (short(s.median, 4), f"{short(s.interval.low, 4)} to {short(s.interval.high, 4)}",
            *("does not exist" if math.isnan(x) else short(x, 4) for x in (s.mean, s.sd, s.mode)))  # fmt: skip


def _shown(fit: Bayes, value: float, minus: str) -> str:
    shown: Any = displayed(value, fit.measure)
    return fixed(float(shown), minus=minus)
