"""What a regression test takes for the size of a study: its standard error, or its number of participants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from balm.stats.effect_sizes import EffectSizes, Floats
from balm.stats.small_study.studies import check_varies, raw_columns
from balm.vocabulary.problems import InputError, check_option


@dataclass(frozen=True, slots=True)
class Predictor:
    """One choice: its name in words, what it is computed from, and whether it falls to 0 as studies grow.

    Where it does, the intercept of the line is the effect expected in an infinitely large study, the limit estimate.
    """

    words: str
    of_sample_size: bool
    function: Callable[[Floats], Floats]
    has_limit: bool


#: Sterne & Egger (2005), in Rothstein, Sutton & Borenstein (eds), Publication Bias in Meta-Analysis, chapter 6.
PREDICTORS = {
    "se": Predictor("standard error", False, np.sqrt, True),
    "variance": Predictor("variance", False, np.asarray, True),
    "sample-size": Predictor("sample size", True, np.asarray, False),
    "inverse-sample-size": Predictor("inverse sample size", True, lambda n: 1.0 / n, True),
    "sqrt-sample-size": Predictor("square root of the sample size", True, np.sqrt, False),
    "inverse-sqrt-sample-size": Predictor(
        "inverse square root of the sample size", True, lambda n: 1.0 / np.sqrt(n), True
    ),
}


def modified_se(es: EffectSizes, who: str) -> Floats:
    """(k,) ``sqrt(1/n_1 + 1/n_2)``: the standard error of a standardised mean difference without the difference in it.

    Pustejovsky & Rodgers (2019), Res Synth Methods 10:57.
    """
    n_1, n_2 = raw_columns(es, ("n_1", "n_2"), who)
    x = np.sqrt(1.0 / n_1 + 1.0 / n_2)
    check_varies(x, "sqrt(1/n_1 + 1/n_2)", who)
    return x


def predictor_values(es: EffectSizes, name: str, sample_size: Any) -> Floats:
    """(k,) the predictor of each study; ``sample_size`` stands in where the effects do not know theirs."""
    row = PREDICTORS[check_option("predictor", name, list(PREDICTORS))]
    if not row.of_sample_size:
        if sample_size is not None:
            raise InputError(f"sample_size= does not apply to predictor={name!r}; leave it out")
        return row.function(es.variance)
    if sample_size is not None:
        n = np.asarray(sample_size, dtype=np.float64)
        if n.shape != es.effect.shape:
            raise InputError(f"sample_size must hold one number a study ({len(es)}); got shape {n.shape}")
    else:
        known = es.sample_size
        if known is None:
            raise InputError(
                f"predictor={name!r} needs sample sizes, which these effect sizes do not hold: give sample_size="
            )
        n = known
    bad = ~(np.isfinite(n) & (n > 0.0))
    if bad.any():
        i = int(np.argmax(bad))
        raise InputError(f"{es.study[i]}: sample size {n[i]:g} is not a positive number")
    return row.function(n)
