"""The sums of many analyses from the compiled kernel, where it is there and the options are ones it knows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.groups import ManyGroups
from balm.stats.kernel import METHODS, Solved, available, solve
from balm.stats.pooling.analysis import Sums
from balm.stats.pooling.choices import Choices
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.prediction import PREDICTIONS
from balm.stats.tails import ManyTails

#: Estimators that need a search; the others are closed formulas.
ITERATED = ("REML", "ML", "PM", "EB")


def can(choices: Choices) -> bool:
    """True where the kernel gives everything these options need."""
    known = choices.model == "random" and choices.tau2 in METHODS and choices.tau2_interval == "q-profile"
    return known and sums_suffice(choices.inference, choices.prediction) and available()


@lru_cache
def sums_suffice(inference: str, prediction: str) -> bool:
    """Whether both intervals follow from the sums that the kernel gives."""
    row = INFERENCES[inference]
    plain = row.error in ("wald", "hartung-knapp", "guarded") and row.ends is None
    return plain and PREDICTIONS[prediction].error not in ("kenward-roger", "own")


def add_up(g: ManyGroups, choices: Choices, *, ends: bool) -> tuple[Sums, Solved] | None:
    """Sums of every group, with the ends of the Q-profile interval of tau2 when asked for."""
    estimator = str(choices.tau2)
    found = solve(g.effect, g.variance, g.offsets, estimator, profile=_quantiles(g, choices.level) if ends else None)
    if found is None:
        return None
    k = g.k
    with np.errstate(all="ignore"):  # plain sums may cancel where ``span`` is large; those groups are done again
        return sums(estimator, k, found), found


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


def _quantiles(g: ManyGroups, level: float) -> tuple[Floats, Floats]:
    """Chi-square quantiles indexed by degrees of freedom, filled for the sizes at hand."""
    df = np.unique(g.sizes) - 1
    tail = 0.5 * (1.0 - level)
    tables = []
    for p in (tail, 1.0 - tail):
        table = np.zeros(int(df[-1]) + 1)
        table[df] = ManyTails.chi2_quantile(p, df.astype(np.float64))
        tables.append(table)
    return tables[0], tables[1]


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
