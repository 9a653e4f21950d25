"""Many analyses by the compiled kernel, where it is there and the options are ones it knows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.groups import ManyGroups
from balm.stats.kernel import METHODS, Solved, available, conclude
from balm.stats.pooling.analysis import Sums
from balm.stats.pooling.choices import Choices
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.prediction import PREDICTIONS
from balm.stats.tails import ManyTails, chi2_quantile, t_critical

#: Estimators that need a search; the others are closed formulas.
ITERATED = ("REML", "ML", "PM", "EB")

#: Standard errors by the kernel's numbers for them, and its number for no prediction interval.
ERRORS, NONE = {"wald": 0, "hartung-knapp": 1, "guarded": 2, "in-force": 3}, 4


def can(choices: Choices, *, ends: bool = True) -> bool:
    """True where the kernel gives everything these options need; ``ends``: of the interval of tau2 too."""
    known = choices.model == "random" and choices.tau2 in METHODS
    known = known and (choices.tau2_interval == "q-profile" or not ends)
    return known and sums_suffice(choices.inference, choices.prediction) and available()


@lru_cache
def sums_suffice(inference: str, prediction: str) -> bool:
    """Whether both intervals follow from the sums that the kernel gives."""
    row = INFERENCES[inference]
    plain = row.error in ("wald", "hartung-knapp", "guarded") and row.ends is None
    return plain and PREDICTIONS[prediction].error not in ("kenward-roger", "own")


def conclude_all(g: ManyGroups, choices: Choices, out: Floats, *, ends: bool) -> None:
    """Everything about every group, with the ends of the Q-profile interval of tau2 when asked for.

    out : (19, G): the columns of a batch, both ends (``nan`` unless asked for), and the largest over the smallest
          variance. Where that is large plain sums may have cancelled.
    """
    met = np.flatnonzero(np.bincount(g.sizes))
    tables = np.zeros((5, int(met[-1])))
    for k in met.tolist():
        df, ahead = freedoms(k, choices.inference, choices.prediction)
        tables[:3, k - 1] = df, t_critical(choices.level, df), t_critical(choices.level, ahead)
        if ends:
            tail = 0.5 * (1.0 - choices.level)
            tables[3:, k - 1] = chi2_quantile(tail, k - 1), chi2_quantile(1.0 - tail, k - 1)
    kinds = (
        ERRORS[INFERENCES[choices.inference].error],
        int(choices.i2 == "from-q"),
        error_ahead(choices.prediction),
    )
    conclude(g.effect, g.variance, g.offsets, str(choices.tau2), kinds, tables, out, profile=ends)
    statistic, df_column, p, q, q_p = out[4], out[5], out[6], out[11], out[12]
    left = np.flatnonzero(~(p >= 0.0))
    if len(left):
        p[left] = ManyTails.two_sided(statistic[left], df_column[left])
    left = np.flatnonzero(~(q_p >= 0.0))
    if len(left):
        q_p[left] = ManyTails.chi2_upper(q[left], g.k[left] - 1.0)


def freedoms(k: int, inference: str, prediction: str) -> tuple[float, float]:
    """Degrees of freedom of the mean's interval and of the prediction interval; infinite for a normal reference."""
    df = math.inf if INFERENCES[inference].df == "normal" else k - 1.0
    ahead = {"k-1": k - 1.0, "k-2": k - 2.0, "in-force": df, "normal": math.inf}
    return df, ahead[PREDICTIONS[prediction].df]


def error_ahead(prediction: str) -> int:
    """The kernel's number for the standard error in the prediction interval."""
    return NONE if prediction == "none" else ERRORS[PREDICTIONS[prediction].error]


@dataclass(frozen=True, eq=False, slots=True)
class Counted:
    """Groups of which only the number of studies is known: enough to conclude from sums."""

    k: Floats

    @staticmethod
    def where(condition: Any, yes: Any, no: Any) -> Any:
        """``yes`` in the groups where the condition holds, else ``no``."""
        return np.where(condition, yes, no)


def sums(estimator: str, k: Any, found: Solved, *, error: bool = True) -> Sums:
    """What the kernel found, as the sums of an analysis; ``k`` studies a group; ``error``: of tau2 as well."""
    tau2 = found.tau2
    return Sums(
        mean=found.mean,
        origin=0.0,
        wald=(1.0 / found.w1) ** 0.5,
        factor=found.q / (k - 1),
        tau2=tau2,
        tau2_se=_error(estimator, k, tau2, found) if error else None,
        before=tau2,
        residual=found.residual,
        q=found.q_0,
        typical=(k - 1) / (found.w1_0 - found.w2_0 / found.w1_0),
        w=None,
    )


def _error(estimator: str, k: Any, tau2: Any, s: Solved) -> Any:
    """Standard errors of tau2, the formulas of :mod:`balm.stats.heterogeneity.estimators` in terms of the sums."""
    if estimator == "ML":
        squared = 2.0 / s.w2
    elif estimator == "REML":
        squared = 2.0 / (s.w2 - 2.0 * s.w3 / s.w1 + (s.w2 / s.w1) ** 2)
    elif estimator == "DL":
        squares = k + 2.0 * tau2 * s.w1_0 + tau2 * tau2 * s.w2_0
        crossed = s.w1_0 + 2.0 * tau2 * s.w2_0 + tau2 * tau2 * s.w3_0
        once = s.w1_0 + tau2 * s.w2_0
        total = s.w1_0
        expected = 2.0 * (squares - 2.0 * crossed / total + (once / total) ** 2)
        squared = expected / (total - s.w2_0 / total) ** 2
    else:
        squared = 2.0 * k * k / (k - 1) / (s.w1 * s.w1)
    return squared**0.5
