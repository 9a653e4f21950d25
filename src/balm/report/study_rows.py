"""Each study of a pooled result as a reader sees it: effect, interval and weight on the displayed scale."""

from __future__ import annotations

from balm.stats.distributions import norm_ppf
from balm.stats.pooling.pooled import Pooled
from balm.stats.transforms import displayed
from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class StudyRow:
    """One study; ``low`` and ``high`` are its own Wald interval at the level of the pooled one. Weight in per cent."""

    study: str
    estimate: float
    low: float
    high: float
    weight: float
    note: str = ""


def study_rows(fit: Pooled) -> list[StudyRow]:
    """The pooled studies in the order given. Ends come in rising order whatever the back-transformation does."""
    effects = fit.effects
    z = norm_ppf(0.5 + fit.interval.level / 2)
    # Freeman-Tukey values are turned back with the study's own size, people or person-time.
    sizes = effects.raw.get("n", effects.raw.get("time"))
    rows = []
    for i, (effect, se) in enumerate(zip(effects.effect.tolist(), effects.se.tolist(), strict=True)):
        n = None if sizes is None else float(sizes[i])
        estimate, low, high = (
            float(displayed(value, effects.measure, n_harmonic=n))
            for value in (effect, effect - z * se, effect + z * se)
        )
        rows.append(
            StudyRow(
                study=label(effects.study, i),
                estimate=estimate,
                low=min(low, high),
                high=max(low, high),
                weight=float(fit.weights[i]),
                note=effects.note[i] if effects.note else "",
            )
        )
    return rows


def label(study: tuple[str, ...], i: int) -> str:
    """The label of study ``i``, or its number when the effects carry none."""
    return str(study[i]) if study else f"Study {i + 1}"
