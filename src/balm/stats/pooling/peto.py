"""Peto's one-step odds ratio, and the log-rank hazard ratio that is pooled in the same way."""

from __future__ import annotations

from typing import Any

from balm.stats.arrays import np
from balm.stats.effect_sizes import EffectSizes, effect_sizes
from balm.stats.measures.zero_cells import correct as correct_cells
from balm.stats.pooling.around_estimate import (
    COUNTS,
    Settings,
    common_result,
    exclude,
    random_result,
    settings_for,
    taken,
)
from balm.stats.pooling.mantel_haenszel import ZERO_CELLS, double_zeros
from balm.stats.pooling.mantel_haenszel_sums import expected_and_variance
from balm.stats.pooling.pooled import Pooled
from balm.vocabulary.problems import check_option
from balm.vocabulary.quick_dataclass import replace

#: Effects that Peto's method takes: 2x2 tables (whatever measure they were made for), or log-rank statistics.
TABLES = ("OR", "RR", "RD", "AS")


def peto(
    measure: str | EffectSizes = "PETO",
    *,
    data: Any = None,
    study: Any = None,
    model: str = "common",
    profile: str | None = None,
    zero_cells: str = "none",
    add: float | None = None,
    to: str | None = None,
    drop_double_zero: bool | None = None,
    inference: str | None = None,
    prediction: str | None = None,
    i2: str | None = None,
    level: float = 0.95,
    missing: str = "raise",
    counts: str = "whole",
    **columns: Any,
) -> Pooled:
    """The common log odds ratio ``sum(O - E) / sum V`` with variance ``1 / sum V`` (Peto's method).

    measure    : "PETO" with ``events_1, n_1, events_2, n_2``, "HR" with ``o_minus_e, v`` (log-rank statistics, whose
                 sum is a log hazard ratio), or an :class:`EffectSizes` made from such columns.
    model      : "common", or "random": DerSimonian and Laird's method on the studies' Peto odds ratios.
    profile    : conventions, as for :func:`balm.mantel_haenszel`.
    zero_cells : "none" pools the tables as they are, for the method needs no correction; "add" pools corrected cells.
    add, to    : the correction of each study's own effect, which enters Q; none unless asked for.
    drop_double_zero : leave studies without events (or non-events) in both arms out of Q; they never have a weight.

    Good for rare events, small effects and arms of similar size, and biased otherwise.
    Yusuf et al. (1985) Prog Cardiovasc Dis 27:335; Cochrane Handbook, section 10.4.2.

    >>> fit = peto(events_1=[4, 6], n_1=[123, 306], events_2=[11, 29], n_2=[139, 303])
    >>> round(fit.estimate, 4), round(fit.se, 4)
    (-1.2401, 0.2912)
    """
    settings = settings_for("peto", model, profile, inference, prediction, i2, level)
    if not isinstance(measure, EffectSizes) and "o_minus_e" in columns:
        check_option("measure", measure, ("PETO", "HR"))
        measure = "HR"
    if isinstance(measure, EffectSizes) and measure.measure in TABLES:
        measure = as_peto(measure)
    log_rank = measure == "HR" or (isinstance(measure, EffectSizes) and measure.measure == "HR")
    if not isinstance(measure, EffectSizes) and not log_rank and add is None and to is None:
        to = "none"  # no table needs a correction; an explicit choice also wins over the profile
    chosen = {"add": add, "to": to, "data": data, "study": study, "missing": missing, "counts": counts}
    es = taken(measure, ["PETO", "HR"], "peto", profile, chosen, columns)
    check_option("zero_cells", zero_cells, ZERO_CELLS[:1] if log_rank else ZERO_CELLS[:2])
    more: dict[str, Any] = {"zero_cells": zero_cells}
    if not log_rank:
        more["drop_double_zero"] = profile == "metafor" if drop_double_zero is None else bool(drop_double_zero)
    return pool_observed(es, settings.also(more))


def as_peto(es: EffectSizes) -> EffectSizes:
    """The Peto odds ratios of tables that were made for another measure."""
    columns: dict[str, Any] = {name: es.raw[name] for name in COUNTS["PETO"] if name in es.raw}
    if len(columns) < 4:
        return es
    return effect_sizes("PETO", study=list(es.study), to="none", counts="fractional", **columns)


def pool_observed(es: EffectSizes, settings: Settings, *, tau2: float | None = None) -> Pooled:
    """Peto's sums over effect sizes that carry their tables or log-rank statistics, under settled conventions.

    tau2 : a between-study variance to take as known under random effects.
    """
    said = settings.conventions
    excluded: tuple[tuple[str, str], ...] = ()
    if es.measure == "HR":
        gap, v = es.raw["o_minus_e"], es.raw["v"]
        kept, in_q = es, es.estimable
    else:
        columns = [es.raw[name] for name in COUNTS["PETO"]]
        double = double_zeros(columns, "PETO")
        keep_all = said.get("double_zero") == "keep"
        some, excluded = (es, ()) if keep_all else exclude(es, double)
        if some is None:
            return common_result(es, settings, np.nan, np.nan, np.zeros(0), excluded=excluded)
        kept = some
        columns = [kept.raw[name] for name in COUNTS["PETO"]]
        double = double_zeros(columns, "PETO")
        if said["zero_cells"] == "add":
            cells = correct_cells(
                dict(zip(COUNTS["PETO"], columns, strict=True)),
                add=float(kept.conventions["add"]),
                to=str(kept.conventions["to"]),
                drop_double_zero=False,
                rr_n_plus=2.0,
            )
            columns = [cells.columns[name] for name in COUNTS["PETO"]]
        expected, v = expected_and_variance(*columns)
        gap = columns[0] - expected
        in_q = kept.estimable & ~double if said["drop_double_zero"] else kept.estimable
    total = float(v.sum())
    estimate, variance = (float(gap.sum()) / total, 1.0 / total) if total > 0.0 else (np.nan, np.nan)
    why = "" if total > 0.0 else "no events, or events in everyone, in both arms of all studies"
    fit = common_result(kept, settings, estimate, variance, v, in_q=in_q, q_of=(gap, v), excluded=excluded, why=why)
    found = random_result(fit, settings, in_q, tau2) if settings.model == "random" else fit
    return replace(found, given=es) if found.excluded else found
