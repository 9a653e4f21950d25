"""What an albatross plot shows: p values and sizes of studies, beside those that chosen effects would have given.

For outcomes reported in ways that cannot be pooled: a p value, a direction and a number of participants are enough
(Harrison S, Jones HE, Martin RM, Lewis SJ, Higgins JPT. Res Synth Methods 2017;8:281-9). A contour is a guide to how
large the effects are, under a simple design that is the same for all studies; it estimates nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.columns import labels, numeric_column, same_length
from balm.stats.distributions import norm_isf, norm_sf
from balm.stats.effect_sizes import Floats
from balm.stats.frame import frame
from balm.vocabulary.presenters import presenter
from balm.vocabulary.problems import InputError, Problem, check_option

SOURCE = "Harrison S, Jones HE, Martin RM, Lewis SJ, Higgins JPT. Res Synth Methods 2017;8:281-9"
#: Measure -> its name, and the contours drawn unless others are given: Cohen's small, medium and large; round ratios.
MEASURES: dict[str, tuple[str, tuple[float, ...]]] = {
    "SMD": ("Standardised mean difference", (0.2, 0.5, 0.8)),
    "COR": ("Correlation", (0.1, 0.3, 0.5)),
    "OR": ("Odds ratio", (1.25, 1.5, 2.0)),
    "RR": ("Risk ratio", (1.25, 1.5, 2.0)),
}
RATIOS = ("OR", "RR")
#: More kinds of line than this cannot be told apart.
MOST_CONTOURS = 4


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class Albatross:
    """Studies by p value, direction and size, and the effects whose contours go with them.

    p         : (k,) two-sided.
    direction : (k,) 1 or -1.
    n         : (k,) participants in all.
    contours  : sizes of effect, each drawn in both directions (a ratio and its inverse).
    ratio     : participants of group 1 for each of group 2, as the contours assume.
    """

    measure: str
    p: Floats
    direction: Floats
    n: Floats
    contours: tuple[float, ...]
    ratio: float
    baseline_risk: float | None
    study: tuple[str, ...]

    @property
    def k(self) -> int:
        """Number of studies."""
        return len(self.n)

    def size(self, effect: float, p: float) -> float:
        """Participants with whom a study that finds just this effect has this two-sided p value."""
        z = norm_isf(0.5 * p)
        return z * z * _per_participant(self.measure, effect, self.ratio, self.baseline_risk) + (self.measure == "COR")

    def p_at(self, effect: float, n: float) -> float:
        """The two-sided p value of a study of this size that finds just this effect: the other way round."""
        z2 = (n - (self.measure == "COR")) / _per_participant(self.measure, effect, self.ratio, self.baseline_risk)
        return 2.0 * norm_sf(math.sqrt(max(z2, 0.0)))

    def beyond(self, contour: float) -> tuple[int, int]:
        """How many studies lie outside a contour: on the negative side, on the positive side."""
        levels, where = np.unique(self.p, return_inverse=True)
        found = {}
        for sign in (-1.0, 1.0):
            effect = toward(self.measure, contour, sign)
            sizes = np.array([self.size(effect, p) for p in levels.tolist()])
            found[sign] = int(np.sum((self.direction == sign) & (self.n < sizes[where])))
        return found[-1.0], found[1.0]

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        positive = int(np.sum(self.direction > 0.0))
        name = MEASURES[self.measure][0].lower()
        said = []
        for contour in self.contours:
            left, right = self.beyond(contour)
            said.append(f"{left} and {right} of {contour:g}")
        studies = "1 study" if self.k == 1 else f"{self.k} studies"
        return (
            f"{studies}: {self.k - positive} in the negative direction and {positive} in the positive one; "
            f"beyond the contours ({name}, negative and positive side) lie {', '.join(said)}."
        )

    def plot(self, path: Any = None, **options: Any) -> Any:
        """The albatross plot."""
        return presenter("albatross")(self, path, **options)

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain values at full precision."""
        return {
            "k": self.k,
            "measure": self.measure,
            "contours": [
                {"effect": c, "beyond_negative": left, "beyond_positive": right}
                for c, (left, right) in ((c, self.beyond(c)) for c in self.contours)
            ],
            "ratio": self.ratio,
            "baseline_risk": self.baseline_risk,
            "study": list(self.study),
            "p": self.p.tolist(),
            "direction": self.direction.tolist(),
            "n": self.n.tolist(),
            "source": SOURCE,
        }

    def to_frame(self) -> Any:
        """One row a study, as a pandas DataFrame (a dict of columns without pandas)."""
        columns = {"p": self.p.copy(), "direction": self.direction.copy(), "n": self.n.copy()}
        return frame({"study": list(self.study), **columns})

    def __repr__(self) -> str:
        return "\n".join([self.summary, SOURCE])


def albatross(
    *,
    p: Any,
    n: Any,
    direction: Any = None,
    data: Any = None,
    study: Any = None,
    measure: str = "SMD",
    contours: Sequence[float] | None = None,
    ratio: float = 1.0,
    baseline_risk: float | None = None,
) -> Albatross:
    """Place studies by p value, direction and number of participants, and count those beyond contours of an effect.

    p         : two-sided p values, above 0; without ``direction`` one-sided ones, small where the effect is positive.
    n         : participants in all, 2 at least.
    direction : above 0 for a positive effect, below 0 for a negative one; an effect on any scale will do (log ratios).
    measure   : what the contours are of: "SMD", "COR", "OR" or "RR".
    contours  : up to four sizes of effect; ratios above 1, their inverses are drawn on the other side.
    ratio     : participants of group 1 for each of group 2, as the contours assume (1); no matter for "COR".
    baseline_risk : risk in group 2, which the contours of "OR" and "RR" need.

    The contour of an effect with a normal quantile z of p has ``n = z^2 v / effect^2`` participants, where v is the
    effect's large-sample variance times n: ``(1 + r)^2 / r + d^2 / 2`` for a standardised mean difference in groups of
    ratio r to 1, ``(1 - rho^2)^2`` for a correlation (and n - 1 for n), and for the logarithm of an odds or risk ratio
    ``(1 + r)`` times the sum of the two groups' terms, ``1 / (r p1 (1 - p1)) + 1 / (p2 (1 - p2))`` or
    ``(1 - p1) / (r p1) + (1 - p2) / p2``.

    >>> found = albatross(p=[0.04, 0.2, 0.6], direction=[1, 1, -1], n=[60, 150, 90])
    >>> found.beyond(0.2), round(found.size(0.5, 0.05), 1)
    ((0, 2), 63.4)
    """
    check_option("measure", measure, list(MEASURES))
    columns = [numeric_column("p", p, data), numeric_column("n", n, data)]
    if direction is not None:
        columns.append(numeric_column("direction", direction, data))
    k = same_length(columns)
    given = [np.broadcast_to(column.values, (k,)).astype(np.float64) for column in columns]
    one_sided = direction is None
    below = given[0] < 1.0 if one_sided else given[0] <= 1.0
    rules = [
        ((given[0] > 0.0) & below, "must lie between 0 and 1, not at 0"),
        ((given[1] >= 2.0) & np.isfinite(given[1]), "must be 2 or more"),
    ]
    if not one_sided:
        rules.append((np.isfinite(given[2]) & (given[2] != 0.0), "must be above or below 0"))
    problems = []
    for column, values, (holds, said) in zip(columns, given, rules, strict=True):
        for row in np.flatnonzero(~holds).tolist():
            text = column.unreadable.get(row, "nothing" if math.isnan(values[row]) else f"{values[row]:g}")
            problems.append(Problem(f"{column.argument} {said}; got {text}", row=row + 1, column=column.label))
    if problems:
        raise InputError(problems)
    sides, sizes = given[0], given[1]
    if one_sided:
        ways, sides = np.where(sides <= 0.5, 1.0, -1.0), 2.0 * np.minimum(sides, 1.0 - sides)
    else:
        ways = np.sign(given[2])
    return Albatross(
        measure=measure,
        p=sides,
        direction=ways,
        n=sizes,
        contours=_contours(measure, contours, ratio, baseline_risk),
        ratio=ratio,
        baseline_risk=baseline_risk,
        study=labels(study, data, k),
    )


def toward(measure: str, contour: float, sign: float) -> float:
    """A contour's effect in one direction: its negative, or a ratio's inverse."""
    return contour if sign > 0.0 else 1.0 / contour if measure in RATIOS else -contour


def _contours(
    measure: str, given: Sequence[float] | None, ratio: float, baseline_risk: float | None
) -> tuple[float, ...]:
    """The contours in order, once the design that they assume is possible."""
    if not (math.isfinite(ratio) and ratio > 0.0):
        raise InputError(f"ratio must be above 0 (participants of group 1 for each of group 2); got {ratio!r}")
    if measure not in RATIOS and baseline_risk is not None:
        raise InputError(f"baseline_risk is for measure 'OR' and 'RR'; leave it out for {measure!r}")
    if measure in RATIOS and (baseline_risk is None or not 0.0 < baseline_risk < 1.0):
        raise InputError(f"{measure} needs baseline_risk, the risk in group 2, between 0 and 1; got {baseline_risk!r}")
    low = 1.0 if measure in RATIOS else 0.0
    high = 1.0 if measure == "COR" else 1.0 / baseline_risk if measure == "RR" and baseline_risk else math.inf
    usual = [one for one in MEASURES[measure][1] if one < high]
    found = tuple(sorted({float(one) for one in (usual if given is None else given)}))
    wrong = [one for one in found if not low < one < high]
    if wrong:
        top = f" and below {high:g}" if high < math.inf else ""
        raise InputError(f"contours of {measure} must lie above {low:g}{top}; got {', '.join(f'{w:g}' for w in wrong)}")
    if not 1 <= len(found) <= MOST_CONTOURS:
        raise InputError(f"contours must be 1 to {MOST_CONTOURS} sizes of effect; got {len(found)}")
    return found


def _per_participant(measure: str, effect: float, ratio: float, baseline_risk: float | None) -> float:
    """``n`` over ``z^2``: the variance of the effect times n, over the squared effect."""
    if measure == "SMD":
        return ((1.0 + ratio) ** 2 / ratio + 0.5 * effect**2) / effect**2
    if measure == "COR":
        return ((1.0 - effect**2) / effect) ** 2
    assert baseline_risk is not None
    risk = effect * baseline_risk / (1.0 - baseline_risk + effect * baseline_risk)
    if measure == "OR":
        groups = 1.0 / (ratio * risk * (1.0 - risk)) + 1.0 / (baseline_risk * (1.0 - baseline_risk))
    else:
        risk = effect * baseline_risk
        groups = (1.0 - risk) / (ratio * risk) + (1.0 - baseline_risk) / baseline_risk
    return (1.0 + ratio) * groups / math.log(effect) ** 2
