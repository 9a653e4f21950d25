"""How large effects and variances may be: their squares and cubes are formed."""

from __future__ import annotations

from balm.stats.arrays import Floats
from balm.stats.effect_sizes import EffectSizes
from balm.vocabulary.problems import InputError

#: Cubes of weights and squares of effects are formed; inside these bounds neither over- nor underflows.
LEAST_VARIANCE, MOST_VARIANCE, MOST_EFFECT = 1e-60, 1e60, 1e40


def check_size(es: EffectSizes) -> None:
    """Refuse effects and variances outside the bounds."""
    check_sizes(es.effect, es.variance)


def check_sizes(effect: Floats, variance: Floats) -> None:
    """The same for bare numbers, (k,) each."""
    if variance.min() < LEAST_VARIANCE or variance.max() > MOST_VARIANCE or abs(effect).max() > MOST_EFFECT:
        raise InputError(
            f"effects or variances of this size leave no room for their squares (allowed: variances {LEAST_VARIANCE:g}"
            f" to {MOST_VARIANCE:g}, effects up to {MOST_EFFECT:g}): choose another unit of the outcome"
        )
