"""PET, PEESE and the rule that chooses between them: the effect where the standard error is zero."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from balm.stats.effect_sizes import EffectSizes
from balm.stats.frame import frame
from balm.stats.pooling.pooled import Pooled
from balm.stats.small_study.regression_test import model_of
from balm.stats.small_study.studies import CLUSTERS, ENOUGH, LEAST, check_varies, p_in_words, studies_of
from balm.stats.small_study.weighted_line import Line, additive_line, multiplicative_line
from balm.vocabulary.interval import Interval
from balm.vocabulary.problems import InputError, check_level, check_option

MODELS = ("multiplicative", "random", "common")
#: The PET intercept is tested one-sided at 5 %, that is two-sided at 10 % (Stanley & Doucouliagos 2014).
SWITCH_P = 0.10


@dataclass(frozen=True, eq=False, slots=True, repr=False)
class PetPeese:
    """Two lines and the intercept that the conditional rule takes.

    pet    : effects on the standard error; its slope tests asymmetry, its intercept a true effect.
    peese  : effects on the variance; less biased when there is a true effect.
    chosen : "PEESE" when the PET intercept differs from 0 (p below 0.10, two-sided), else "PET".
    """

    pet: Line
    peese: Line
    chosen: str
    model: str
    k: int
    level: float
    advice: tuple[str, ...]

    @property
    def line(self) -> Line:
        """The chosen line."""
        return self.peese if self.chosen == "PEESE" else self.pet

    @property
    def estimate(self) -> float:
        """The corrected effect on the analysis scale: the intercept of the chosen line."""
        return self.line.intercept.estimate

    @property
    def se(self) -> float:
        """Its standard error, which does not know that a choice was made."""
        return self.line.intercept.se

    @property
    def p(self) -> float:
        """Of the corrected effect, two-sided."""
        return self.line.intercept.p

    @property
    def interval(self) -> Interval:
        """Of the corrected effect."""
        return self.line.intercept.interval

    @property
    def summary(self) -> str:
        """The result in one sentence."""
        why = "has" if self.chosen == "PEESE" else "has no"
        return (
            f"PET-PEESE ({self.k} studies, {self.model} model): the PET intercept {why} evidence of an effect "
            f"({p_in_words(self.pet.intercept.p)}), so {self.chosen} gives {self.estimate:.3f} "
            f"({100 * self.level:g}% CI {self.interval.low:.3f} to {self.interval.high:.3f})."
        )

    def to_dict(self) -> dict[str, Any]:
        """Both lines at full precision."""
        return {
            "k": self.k,
            "model": self.model,
            "chosen": self.chosen,
            "estimate": self.estimate,
            "se": self.se,
            "ci_low": self.interval.low,
            "ci_high": self.interval.high,
            "p": self.p,
            **{
                f"{name}_{part}_{field}": getattr(getattr(line, part), field)
                for name, line in (("pet", self.pet), ("peese", self.peese))
                for part in ("intercept", "slope")
                for field in ("estimate", "se", "p")
            },
            "advice": list(self.advice),
        }

    def to_frame(self) -> Any:
        """Two rows, PET and PEESE, as a pandas DataFrame (a dict of columns without pandas)."""
        both = (("PET", self.pet), ("PEESE", self.peese))
        columns: dict[str, Any] = {"line": [name for name, _ in both], "chosen": [n == self.chosen for n, _ in both]}
        for part in ("intercept", "slope"):
            for field in ("estimate", "se", "statistic", "p"):
                columns[f"{part}_{field}"] = [getattr(getattr(line, part), field) for _, line in both]
        columns |= {"df": [line.df for _, line in both], "tau2": [line.tau2 for _, line in both]}
        return frame(columns)

    def __repr__(self) -> str:
        return "\n".join([self.summary, *(f"- {said}" for said in self.advice)])


def pet_peese(
    fit: Pooled | EffectSizes,
    *,
    model: str = "multiplicative",
    tau2: str | float | None = None,
    inference: str | None = None,
    level: float = 0.95,
    cluster: Any = None,
) -> PetPeese:
    """The effect extrapolated to a study without sampling error.

    model : "multiplicative" (weighted least squares, t with k - 2: as published), "random" (additive tau2, with the
            estimator and inference of ``fit`` unless given) or "common".
    tau2, inference : for "random"; "inference" also for "common".

    Three studies are needed; with few, strong heterogeneity or little spread of standard errors the intercept is far
    from reliable (Stanley 2017, Soc Psychol Personal Sci 8:581). Stanley & Doucouliagos (2014), Res Synth Methods 5:60.

    >>> es = EffectSizes(effect=[0.1, 0.3, 0.35, 0.6, 0.8], variance=[0.01, 0.02, 0.03, 0.05, 0.09])
    >>> found = pet_peese(es)
    >>> found.chosen, round(found.estimate, 3)
    ('PEESE', 0.043)
    """
    who = "pet_peese"
    check_option("model", model, MODELS)
    if cluster is not None:
        raise InputError(CLUSTERS.format(who=who))
    check_level(level)
    if tau2 is not None and model != "random":
        raise InputError(f"tau2= does not apply to model={model!r}; it belongs to 'random'")
    if inference is not None and model == "multiplicative":
        raise InputError(
            "inference= does not apply to model='multiplicative', which is t with k - 2 degrees of freedom"
        )
    es = studies_of(fit, who)
    k = len(es)
    if k < LEAST:
        raise InputError(f"{who} needs at least {LEAST} studies; there {'is' if k == 1 else 'are'} {k}")
    check_varies(es.variance, "the variance", who)
    said: list[str] = []
    if model == "multiplicative":
        lines = [multiplicative_line(es.effect, x, 1.0 / es.variance, level) for x in (es.se, es.variance)]
    else:
        estimator, way, words = model_of(fit, tau2, inference)
        estimator = None if model == "common" else "REML" if estimator is None else estimator
        said.extend(words)
        lines = [additive_line(es, x, estimator, way, level) for x in (es.se, es.variance)]
    pet, peese = lines
    if math.isnan(pet.intercept.p):
        said.append("The studies lie exactly on a line: the intercept has no error to be judged by.")
    if k < 2 * ENOUGH:
        said.append(f"Only {k} studies: with fewer than {2 * ENOUGH} the corrected estimate is unreliable.")
    chosen = "PEESE" if pet.intercept.p < SWITCH_P else "PET"
    return PetPeese(pet, peese, chosen, model, k, level, tuple(said))
