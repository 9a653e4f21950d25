"""Mantel-Haenszel pooling of two-group counts and rates."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from balm.stats.arrays import np
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.measures.zero_cells import correct as correct_cells
from balm.stats.pooling import mantel_haenszel_sums as sums
from balm.stats.pooling.around_estimate import (
    COUNTS,
    Settings,
    common_result,
    exclude,
    random_result,
    settings_for,
    taken,
)
from balm.stats.pooling.pooled import Pooled
from balm.stats.pooling.stratified_tests import (
    ChiSquareTest,
    cochran_mantel_haenszel,
    homogeneity_of_odds_ratios,
    mantel_haenszel_rates,
)
from balm.stats.profiles import conventions_of
from balm.vocabulary.problems import InputError, check_option
from balm.vocabulary.quick_dataclass import replace

#: What the method offers, and the sums behind each.
ESTIMATORS = MappingProxyType(
    {
        "OR": sums.odds_ratio,
        "RR": sums.risk_ratio,
        "RD": sums.risk_difference,
        "IRR": sums.rate_ratio,
        "IRD": sums.rate_difference,
    }
)
ZERO_CELLS = ("none", "add", "add-to-weights", "add-to-variance")
RD_VARIANCES = ("sato", "greenland-robins")
DOUBLE_ZERO = ("exclude", "keep")
#: "cochran" (rate ratios only) is not the method of Mantel and Haenszel, but a sum over strata like it.
WEIGHTS = ("mantel-haenszel", "cochran")


def mantel_haenszel(
    measure: str | EffectSizes,
    *,
    data: Any = None,
    study: Any = None,
    model: str = "common",
    profile: str | None = None,
    zero_cells: str | None = None,
    double_zero: str | None = None,
    add: float | None = None,
    to: str | None = None,
    drop_double_zero: bool | None = None,
    variance: str | None = None,
    weights: str = "mantel-haenszel",
    correct: bool = True,
    inference: str | None = None,
    prediction: str | None = None,
    i2: str | None = None,
    level: float = 0.95,
    missing: str = "raise",
    counts: str = "whole",
    **columns: Any,
) -> Pooled:
    """The common effect of 2x2 tables or rates by the method of Mantel and Haenszel, which copes with sparse data.

    measure      : "OR", "RR", "RD" with ``events_1, n_1, events_2, n_2``; "IRR", "IRD" with ``events_1, time_1,
                   events_2, time_2``; or an :class:`EffectSizes` that was made from such columns.
    model        : "common", or "random": DerSimonian and Laird's method with Q taken around the Mantel-Haenszel
                   estimate and inverse-variance weights, "M-H, Random" of RevMan 5.
    profile      : conventions of "balm", "metafor", "revman5", "revman-web", "meta" or "stata".  The default pools the
                   cells as they are.
    zero_cells   : "none" pools the cells as they are (exact); "add" pools the corrected cells of ``add`` and ``to``;
                   "add-to-weights" (RD only) keeps the differences as observed under weights and a standard error from
                   corrected cells (R meta), "add-to-variance" (RD only) corrects the standard error alone (RevMan).
    double_zero  : "exclude" or "keep" studies without events (or non-events) in both arms.  They say nothing about a
                   ratio; a difference always keeps them.
    add, to      : the correction of each study's own effect, which enters Q and the random-effects weights.
    drop_double_zero : True leaves double-zero studies out of Q although they are pooled (metafor).
    variance     : of the risk difference, "sato" or "greenland-robins".
    weights      : "mantel-haenszel", or "cochran" (IRR only): the mean of the log rate ratios weighted by the events
                   that group 1 would have had at the rate of group 2; Q and "random" then follow inverse variances.
    correct      : continuity correction of the Cochran-Mantel-Haenszel test.
    inference, prediction, i2 : as for :func:`balm.pool`, under ``model="random"``; a Wald interval by default.

    ``.tests`` holds "cochran-mantel-haenszel" and, for OR, "breslow-day" and "tarone" (each ``.statistic .df .p``).
    Without events in one of the arms of all studies a ratio is not estimable: the result is ``nan`` and
    ``.reasons`` says so.

    Mantel & Haenszel (1959); Robins, Breslow & Greenland (1986); Deeks & Higgins (2010), sections 4 and 9;
    Cochrane Handbook, section 10.4.

    >>> fit = mantel_haenszel("RR", events_1=[4, 6], n_1=[123, 306], events_2=[11, 29], n_2=[139, 303])
    >>> round(fit.estimate, 4), round(fit.se, 4)
    (-1.3517, 0.3455)
    """
    rows = conventions_of(profile)
    settings = settings_for("mantel-haenszel", model, profile, inference, prediction, i2, level)
    if drop_double_zero is None:
        drop_double_zero = rows["mh_drop_double_zero"]
    chosen = {"add": add, "to": to, "data": data, "study": study, "missing": missing, "counts": counts}
    es = taken(measure, list(ESTIMATORS), "mantel_haenszel", profile, chosen, columns)
    code = es.measure
    if variance is not None and code != "RD":
        raise InputError(f"variance={variance!r} has no effect on {code}: only the risk difference has a choice")
    settled = check_option("variance", rows["mh_rd_variance"] if variance is None else variance, RD_VARIANCES)
    if zero_cells is None:
        zero_cells = str(rows["mh_rd_zero_cells" if code == "RD" else "mh_zero_cells"])
    check_option("zero_cells", zero_cells, ZERO_CELLS)
    if check_option("weights", weights, WEIGHTS) == "cochran" and code != "IRR":
        raise InputError(f"weights='cochran' has no effect on {code}: they are defined for the rate ratio, IRR")
    if zero_cells.startswith("add-to-") and code != "RD":
        raise InputError(f"zero_cells={zero_cells!r} has no effect on {code}; use 'add' or 'none'")
    double_zero = check_option("double_zero", rows["double_zero"] if double_zero is None else double_zero, DOUBLE_ZERO)
    conventions: dict[str, Any] = {
        "mh_zero_cells": zero_cells,
        "double_zero": double_zero if code in ("OR", "RR", "IRR") else "keep",
        "drop_double_zero": bool(drop_double_zero),
        "correct": bool(correct),
    }
    if model == "random" and profile == "meta" and code in ("IRR", "IRD"):
        conventions["mh_random_q"] = "inverse-variance"  # R meta keeps M-H, Random to 2x2 tables
    if weights == "cochran":
        conventions |= {"mh_weights": weights} | ({"mh_random_q": "inverse-variance"} if model == "random" else {})
    if code == "RD":
        conventions["mh_rd_variance"] = settled
    return pool_cells(es, settings.also(conventions))


def pool_cells(es: EffectSizes, settings: Settings, *, tau2: float | None = None) -> Pooled:
    """Mantel-Haenszel pooling of effect sizes that carry their counts, under settled conventions.

    tau2 : a between-study variance to take as known under random effects.
    """
    said = settings.conventions
    code = es.measure
    kept, excluded = exclude(es, es.double_zero) if said["double_zero"] == "exclude" else (es, ())
    if kept is None:
        return common_result(es, settings, np.nan, np.nan, np.zeros(0), excluded=excluded)
    columns = [kept.raw[name] for name in COUNTS[code]]
    pooled = columns
    if said["mh_zero_cells"] != "none":
        cells = correct_cells(
            dict(zip(COUNTS[code], columns, strict=True)),
            add=float(kept.conventions["add"]),
            to=str(kept.conventions["to"]),
            drop_double_zero=False,
            rr_n_plus=2.0,
        )
        pooled = [cells.columns[name] for name in COUNTS[code]]
    q_around: float | None = None
    if said.get("mh_weights") == "cochran":
        estimate, variance, weights = sums.standardised_rate_ratio(kept.effect, *pooled)
        known = kept.estimable
        precision = 1.0 / kept.variance[known]
        q_around = float(precision @ kept.effect[known]) / float(precision.sum()) if known.any() else None
    elif code == "RD":
        estimate, variance, weights = sums.risk_difference(*pooled, variance=said["mh_rd_variance"])
        if said["mh_zero_cells"] == "add-to-weights":
            a, n_1, c, n_2 = columns
            estimate = float(weights @ (a / n_1 - c / n_2)) / float(weights.sum())
        elif said["mh_zero_cells"] == "add-to-variance":
            corrected = float(weights.sum())
            estimate, _, weights = sums.risk_difference(*columns)
            if len(weights) > 1:  # one study keeps its own variance
                variance *= (corrected / float(weights.sum())) ** 2
    else:
        estimate, variance, weights = ESTIMATORS[code](*pooled)
    in_q = kept.estimable & ~double_zeros(columns, code) if said["drop_double_zero"] else kept.estimable
    tests = stratified_tests(code, pooled, estimate, bool(said["correct"]))
    why = "" if np.isfinite(estimate) else no_estimate(code, pooled)
    fit = common_result(
        kept,
        settings,
        estimate,
        variance,
        weights,
        in_q=in_q,
        q_around=q_around,
        excluded=excluded,
        tests=tests,
        why=why,
    )
    found = random_result(fit, settings, in_q, tau2) if settings.model == "random" else fit
    return replace(found, given=es) if found.excluded else found


def double_zeros(columns: list[Floats], code: str) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Studies without an event, or without a non-event, in both groups."""
    a, n_1, c, n_2 = columns
    none = (a == 0.0) & (c == 0.0)
    found: np.ndarray[Any, np.dtype[np.bool_]] = none if code.startswith("IR") else none | ((a == n_1) & (c == n_2))
    return found


def stratified_tests(code: str, cells: list[Floats], estimate: float, correct: bool) -> dict[str, ChiSquareTest]:
    """The tests that go with the estimate, on the cells that were pooled."""
    if code.startswith("IR"):
        return {"cochran-mantel-haenszel": mantel_haenszel_rates(*cells, correct=correct)}
    tests = {"cochran-mantel-haenszel": cochran_mantel_haenszel(*cells, correct=correct)}
    if code == "OR":
        breslow_day, tarone = homogeneity_of_odds_ratios(*cells, odds_ratio=float(np.exp(estimate)))
        tests |= {"breslow-day": breslow_day, "tarone": tarone}
    return tests


def no_estimate(code: str, cells: list[Floats]) -> str:
    """Why a ratio has no Mantel-Haenszel estimate, in words."""
    a, n_1, c, n_2 = cells
    if not a.any() and not c.any():
        return "no events in either arm of any study"
    if not a.any() or not c.any():
        return f"no events in group {1 if not a.any() else 2} of any study: the ratio is 0 or infinite"
    if code == "OR" and ((a == n_1).all() or (c == n_2).all()):
        return f"events in everyone in group {1 if (a == n_1).all() else 2} of every study: the odds are infinite"
    return "no study has events where another group could be compared: the Mantel-Haenszel sums are 0"


__all__ = ["ESTIMATORS", "mantel_haenszel", "pool_cells"]
