"""The 2x2 tables of a test against its reference standard, and what each study says by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.columns import Floats, labels, numeric_column, same_length
from balm.stats.distributions import norm_ppf
from balm.stats.frame import frame
from balm.stats.measures.conventions import TO
from balm.vocabulary.problems import InputError, Problem, check_option

#: More than have ever lived; sums of products of larger counts overflow.
MOST_PEOPLE = 1e12
CELLS = ("tp", "fn", "fp", "tn")


@dataclass(frozen=True, eq=False)
class Tables:
    """True and false positives and negatives, (k,) each: people with the condition are ``tp + fn``."""

    tp: Floats
    fn: Floats
    fp: Floats
    tn: Floats
    study: tuple[str, ...]

    @property
    def k(self) -> int:
        """Studies."""
        return len(self.tp)

    @property
    def diseased(self) -> Floats:
        """(k,) people with the condition."""
        return self.tp + self.fn

    @property
    def healthy(self) -> Floats:
        """(k,) people without it."""
        return self.fp + self.tn

    @property
    def with_zero(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """(k,) whether a cell is 0."""
        return np.asarray((self.tp == 0) | (self.fn == 0) | (self.fp == 0) | (self.tn == 0))

    def corrected(self, add: float = 0.5, to: str = "only-zero") -> Tables:
        """The tables with ``add`` in every cell of the studies that ``to`` names.

        to : "only-zero" (studies with a zero cell), "if-any-zero" (all studies, as soon as one has a zero cell), "all"
             or "none".

        >>> Tables(*(np.array([x]) for x in (9.0, 0.0, 1.0, 8.0)), ("A",)).corrected().fn.tolist()
        [0.5]
        """
        check_option("to", to, TO)
        if not (isinstance(add, (int, float)) and math.isfinite(add) and add >= 0.0):
            raise InputError(f"add must be 0 or a positive number; got {add!r}")
        zero = self.with_zero
        if to == "all" or (to == "if-any-zero" and bool(zero.any())):
            zero = np.ones(self.k, dtype=bool)
        elif to != "only-zero":
            zero = np.zeros(self.k, dtype=bool)
        more = np.where(zero, float(add), 0.0)
        return Tables(self.tp + more, self.fn + more, self.fp + more, self.tn + more, self.study)

    def without_zeros(self, what: str) -> None:
        """Raise where a cell is still 0: ``what`` takes logarithms of all four."""
        zero = self.with_zero
        if zero.any():
            at = int(np.argmax(zero))
            raise InputError(
                f"{self.study[at]} has a cell without people, and {what} takes its logarithm: take "
                'to="only-zero" with add above 0, or leave the study out'
            )


def tables(*, tp: Any, fn: Any, fp: Any, tn: Any, study: Any = None, data: Any = None) -> Tables:
    """The tables from columns, checked: whole numbers of people, at least one with and one without the condition.

    Every fault is listed with its row and column.
    """
    columns = [numeric_column(name, given, data) for name, given in zip(CELLS, (tp, fn, fp, tn), strict=True)]
    k = same_length(columns)
    names = labels(study, data, k)
    problems = []
    for column in columns:
        for row in range(k):
            value = float(column.values[0 if column.constant else row])
            text = column.unreadable.get(row)
            if text is not None:
                reason = f"{text!r} is not a number"
            elif math.isnan(value):
                reason = "the count is missing; leave the study out, or give 0 where nobody was counted"
            elif not (value >= 0.0 and math.isfinite(value) and value == math.floor(value)):
                reason = f"a count of people is a whole number of 0 or more; got {value:g}"
            elif value > MOST_PEOPLE:
                reason = f"{value:g} people are more than there are"
            else:
                continue
            problems.append(Problem(f"{names[row]}: {reason}", row=row + 1, column=column.label, value=text))
    if problems:
        raise InputError(problems)
    values = [np.broadcast_to(c.values, (k,)).astype(np.float64) for c in columns]
    found = Tables(values[0], values[1], values[2], values[3], names)
    both = np.column_stack((found.diseased, found.healthy))
    for row in np.flatnonzero((both == 0.0).any(axis=1)).tolist():
        for people, kind, measure in zip(
            both[row].tolist(), ("with", "without"), ("sensitivity", "specificity"), strict=True
        ):
            if people == 0.0:
                reason = f"{names[row]}: nobody {kind} the condition, so there is no {measure}; leave the study out"
                problems.append(Problem(reason, row=row + 1))
    if problems:
        raise InputError(problems)
    return found


@dataclass(frozen=True, eq=False)
class EachStudy:
    """Sensitivity, specificity, likelihood ratios and diagnostic odds ratio of each study; intervals are (k, 2).

    Proportions are of the people as counted, with Wilson's interval; ratios are of the corrected tables, with normal
    intervals of their logarithms.
    """

    study: tuple[str, ...]
    sensitivity: Floats
    sensitivity_interval: Floats
    specificity: Floats
    specificity_interval: Floats
    positive_lr: Floats
    positive_lr_interval: Floats
    negative_lr: Floats
    negative_lr_interval: Floats
    dor: Floats
    dor_interval: Floats
    level: float

    @property
    def correlation(self) -> float:
        """Pearson's correlation of sensitivity and false positive rate: positive where thresholds differ."""
        x, y = self.sensitivity, 1.0 - self.specificity
        if len(x) < 2 or np.ptp(x) == 0.0 or np.ptp(y) == 0.0:
            return math.nan
        return float(np.corrcoef(x, y)[0, 1])

    def to_frame(self) -> Any:
        """One row a study."""
        columns: dict[str, Any] = {"study": list(self.study)}
        for name in ("sensitivity", "specificity", "positive_lr", "negative_lr", "dor"):
            ends = getattr(self, f"{name}_interval")
            columns |= {name: getattr(self, name), f"{name}_low": ends[:, 0], f"{name}_high": ends[:, 1]}
        return frame(columns)


def each_study(counted: Tables, corrected: Tables | None = None, level: float = 0.95) -> EachStudy:
    """What each study says by itself: proportions of ``counted``, ratios of ``corrected`` (default: the same).

    Wilson (1927); Simel, Samsa & Matchar (1991) J Clin Epidemiol 44:763-70 (likelihood ratios); Glas et al. (2003) J
    Clin Epidemiol 56:1129-35 (diagnostic odds ratio). A ratio with a zero in its way is ``nan``.
    """
    from balm.stats.proportions import METHODS

    t = counted if corrected is None else corrected
    z = norm_ppf(0.5 + 0.5 * level)
    wilson = METHODS["wilson"]
    n1, n0 = counted.diseased, counted.healthy
    ends = [np.column_stack(wilson(x, n, z, level)) for x, n in ((counted.tp, n1), (counted.tn, n0))]
    m1, m0 = t.diseased, t.healthy
    ratios = []
    with np.errstate(divide="ignore", invalid="ignore"):
        for log, variance in (
            (np.log(t.tp / m1) - np.log(t.fp / m0), 1.0 / t.tp - 1.0 / m1 + 1.0 / t.fp - 1.0 / m0),
            (np.log(t.fn / m1) - np.log(t.tn / m0), 1.0 / t.fn - 1.0 / m1 + 1.0 / t.tn - 1.0 / m0),
            (
                np.log(t.tp) + np.log(t.tn) - np.log(t.fn) - np.log(t.fp),
                1.0 / t.tp + 1.0 / t.fn + 1.0 / t.fp + 1.0 / t.tn,
            ),
        ):
            known = np.isfinite(log) & np.isfinite(variance)
            log, half = np.where(known, log, np.nan), z * np.sqrt(np.where(known, variance, np.nan))
            ratios += [np.exp(log), np.exp(np.column_stack((log - half, log + half)))]
    plus, plus_ends, minus, minus_ends, odds, odds_ends = ratios
    return EachStudy(
        counted.study, counted.tp / n1, ends[0], counted.tn / n0, ends[1],
        plus, plus_ends, minus, minus_ends, odds, odds_ends, level,
    )  # fmt: skip
