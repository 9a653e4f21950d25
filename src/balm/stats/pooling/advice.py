"""What a reader of the result should know: guards that acted, and few studies."""

from __future__ import annotations

import math

from balm.stats.pooling.analysis import Analysis
from balm.stats.pooling.choices import Choices
from balm.stats.pooling.inference import INFERENCES
from balm.stats.pooling.prediction import PREDICTIONS
from balm.vocabulary.numbers import figures

#: Hartung-Knapp's factor is exactly 1 for some estimators (DerSimonian-Laird or REML with two studies), give or take
#: rounding; below this it narrows.
NARROWS = 1.0 - 1e-9

#: With fewer studies than this the between-study variance is hardly estimable (Cochrane Handbook, 10.10.4.4).
FEW = 5


def _small(x: float, beside: float) -> str:
    """A standard error beside a larger one; what is left of rounding alone is 0."""
    return figures(x, 4) if x > 1e-9 * beside else "0"


def advise(a: Analysis, k: int, choices: Choices) -> tuple[str, ...]:
    """Sentences, the most important first; empty when there is nothing to say."""
    said = list(choices.notes)
    error = INFERENCES[choices.inference].error
    if a.factor < NARROWS and error in ("hartung-knapp", "guarded", "wider", "iqwig"):
        plain, wald = a.wald * math.sqrt(a.factor), figures(a.wald, 4)
        if error == "hartung-knapp":
            said.append(
                f"Hartung-Knapp's standard error ({_small(plain, a.wald)}) is smaller than Wald's ({wald}), because "
                "the studies agree better than their own errors allow; inference='hartung-knapp-guarded' does not "
                "narrow."
            )
        elif error == "guarded":
            said.append(
                f"The Hartung-Knapp guard acted: its standard error ({_small(plain, a.wald)}) would be smaller than "
                f"Wald's ({wald}), which was kept."
            )
        elif a.se != plain:
            said.append(
                f"The rule of inference={choices.inference!r} acted: Hartung-Knapp's interval would be narrower."
            )
    if a.before < 0.0:
        said.append(f"The estimate of τ² was negative ({figures(a.before, 4)}) and is set to 0.")
    if k == 2 and math.isfinite(a.df):
        said.append("Two studies: the interval has one degree of freedom and is very wide; show the studies instead.")
    elif choices.model != "common" and k < FEW and isinstance(choices.tau2, str):
        said.append(f"With {k} studies, τ² and everything that rests on it are very uncertain.")
    if a.tau2 == 0.0 and not math.isnan(a.prediction_low) and PREDICTIONS[choices.prediction].error != "own":
        said.append("τ² is 0: the prediction interval assumes no heterogeneity.")
    if a.q == 0.0:
        said.append("All effects are identical.")
    return tuple(said)
