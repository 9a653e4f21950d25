"""How likely a study with p value p comes to be seen, as smooth functions with their derivatives.

Every function gives ``log w(p)`` up to a constant that does not depend on p, because only ratios of weights count.
Citkowicz & Vevea (2017), Psychol Methods 22:28 (beta); Preston, Ashby & Smyth (2004), J Eval Clin Pract 10:313
(half-normal, negative exponential, logistic); Begg & Mazumdar (1994), Biometrics 50:1088 (exponential of a power).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from balm.stats.effect_sizes import Floats

#: Value, slopes (m, ...) and curvatures (m, m, ...) in the parameters.
Terms = tuple[Floats, Floats, Floats]

#: p values nearer to 0 or 1 than this count as this in functions without a bound (Citkowicz & Vevea 2017, p. 31).
CENSORED_AT = 1e-5


def _half_normal(log_p: Floats, log_q: Floats, delta: list[Floats]) -> Terms:
    square = np.exp(2.0 * log_p)
    return -delta[0] * square, -square[None], np.zeros((1, 1, *square.shape))


def _negative_exponential(log_p: Floats, log_q: Floats, delta: list[Floats]) -> Terms:
    p = np.exp(log_p)
    return -delta[0] * p, -p[None], np.zeros((1, 1, *p.shape))


def _logistic(log_p: Floats, log_q: Floats, delta: list[Floats]) -> Terms:
    p = np.exp(log_p)
    x = delta[0] * p
    share = 1.0 / (1.0 + np.exp(-x))
    return np.log(2.0) - x - np.log1p(np.exp(-x)), -(p * share)[None], -(p * p * share * (1.0 - share))[None, None]


def _power(log_p: Floats, log_q: Floats, delta: list[Floats]) -> Terms:
    return delta[0] * log_q, log_q[None], np.zeros((1, 1, *log_q.shape))


def _exponential_of_power(log_p: Floats, log_q: Floats, delta: list[Floats]) -> Terms:
    size, power = delta
    u = np.exp(log_p / power)
    first = -u * log_p / power**2
    second = u * (log_p**2 / power**4 + 2.0 * log_p / power**3)
    cross = -first + 0.0 * size
    return (
        -size * u,
        np.stack([-u + 0.0 * size, -size * first]),
        np.stack([np.stack([np.zeros_like(cross), cross]), np.stack([cross, -size * second])]),
    )


def _beta(log_p: Floats, log_q: Floats, delta: list[Floats]) -> Terms:
    value = (delta[0] - 1.0) * log_p + (delta[1] - 1.0) * log_q
    return value, np.stack([log_p, log_q]), np.zeros((2, 2, *log_p.shape))


@dataclass(frozen=True, slots=True)
class WeightFunction:
    """``log_weight(log p, log(1 - p), delta) -> Terms``; no selection where ``delta`` is ``neutral``.

    positive   : for each parameter, whether it is above 0 (True) or may be 0 (False).
    bounded    : False where the weight can grow without bound or fall to 0 as p nears 0 or 1, so that p is censored.
    imprecision : whether the first parameter may be multiplied by a measure of imprecision.
    far        : whether weights still change for p below the smallest number that 1 - p can hold.
    """

    name: str
    formula: str
    source: str
    log_weight: Callable[[Floats, Floats, list[Floats]], Terms]
    neutral: tuple[float, ...]
    strong: tuple[tuple[float, ...], ...]
    positive: tuple[bool, ...]
    bounded: bool = True
    imprecision: bool = True
    far: bool = False


_PRESTON = "Preston C, Ashby D, Smyth R. J Eval Clin Pract 2004;10:313-22"
#: Parameters are named delta (delta_1, delta_2), as in those papers.
WEIGHT_FUNCTIONS = {
    "beta": WeightFunction(
        "beta",
        "p^(delta_1 - 1) (1 - p)^(delta_2 - 1)",
        "Citkowicz M, Vevea JL. Psychol Methods 2017;22:28-41",
        _beta,
        (1.0, 1.0),
        ((0.8, 1.5), (1.0, 3.0), (0.5, 0.8), (1.5, 1.0)),
        (True, True),
        bounded=False,
        imprecision=False,
    ),
    "half-normal": WeightFunction(
        "half-normal", "exp(-delta p^2)", _PRESTON, _half_normal, (0.0,), ((1.0,), (5.0,), (30.0,)), (False,)
    ),
    "negative-exponential": WeightFunction(
        "negative exponential", "exp(-delta p)", _PRESTON, _negative_exponential, (0.0,),
        ((1.0,), (4.0,), (20.0,)), (False,),
    ),
    "logistic": WeightFunction(
        "logistic", "2 exp(-delta p) / (1 + exp(-delta p))", _PRESTON, _logistic, (0.0,),
        ((1.0,), (4.0,), (20.0,)), (False,),
    ),
    "power": WeightFunction(
        "power", "(1 - p)^delta", "Like Preston et al. 2004, J Eval Clin Pract 10:313-22", _power, (0.0,),
        ((0.5,), (2.0,), (8.0,)), (False,), bounded=False,
    ),
    "exponential-power": WeightFunction(
        "exponential of a power", "exp(-delta_1 p^(1 / delta_2))",
        "Begg CB, Mazumdar M. Biometrics 1994;50:1088-101", _exponential_of_power, (0.0, 1.0),
        ((1.0, 0.5), (4.0, 1.0), (2.0, 3.0)), (False, True), far=True,
    ),
}  # fmt: skip
