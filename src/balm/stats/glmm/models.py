"""The models: which likelihoods the studies' counts have, and what is fixed, random or free in them."""

from __future__ import annotations

from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.glmm.likelihoods import Binomial, Hypergeometric, Likelihood, Poisson
from balm.stats.glmm.structure import Parameter, Structure

Arm = tuple[Likelihood, Floats, float]


class Studies(NamedTuple):
    """A way to treat the studies' levels: a row of :data:`STUDIES`."""

    name: str
    title: str
    measures: tuple[str, ...]
    metafor: str
    source: str


#: Name -> row.
STUDIES = MappingProxyType(
    {
        row.name: row
        for row in (
            Studies(
                "fixed",
                "a level of its own for each study",
                ("OR", "IRR"),
                "UM.FS",
                "Turner et al. 2000; Jackson et al. 2018",
            ),
            Studies("random", "study levels from a normal distribution", ("OR", "IRR"), "UM.RS", "Turner et al. 2000"),
            Studies(
                "conditional",
                "conditional on the events of each study (for OR the noncentral hypergeometric)",
                ("OR", "IRR"),
                "CM.EL",
                "Van Houwelingen et al. 1993; Stijnen et al. 2010",
            ),
            Studies(
                "conditional-approximate",
                "conditional on the events of each study, binomial where events are rare",
                ("OR",),
                "CM.AL",
                "Stijnen et al. 2010",
            ),
        )
    }
)

#: Measures of one group have no study levels beside the effect itself.
ONE_GROUP = ("PLO", "IRLN")
MEASURES = ("OR", "IRR", *ONE_GROUP)


def arms(measure: str, studies: str | None, counts: dict[str, Floats], coding: tuple[float, float]) -> tuple[Arm, ...]:
    """(likelihood, offset, c) of each arm, or of the conditional table."""
    if measure == "PLO":
        return ((Binomial(counts["events"], counts["n"]), np.zeros(len(counts["n"])), 1.0),)
    if measure == "IRLN":
        return ((Poisson(counts["events"]), np.log(counts["time"]), 1.0),)
    x_1, x_2 = counts["events_1"], counts["events_2"]
    size = "time" if measure == "IRR" else "n"
    n_1, n_2 = counts[f"{size}_1"], counts[f"{size}_2"]
    if studies == "conditional" and measure == "OR":
        return ((Hypergeometric(x_1, n_1, x_1 + x_2, n_2), np.zeros(len(x_1)), 1.0),)
    if studies in ("conditional", "conditional-approximate"):
        return ((Binomial(x_1, x_1 + x_2), np.log(n_1) - np.log(n_2), 1.0),)
    one, two = coding
    if measure == "IRR":
        return ((Poisson(x_1), np.log(n_1), one), (Poisson(x_2), np.log(n_2), two))
    zero = np.zeros(len(x_1))
    return ((Binomial(x_1, n_1), zero, one), (Binomial(x_2, n_2), zero, two))


def structure(
    which: tuple[Arm, ...],
    studies: str | None,
    design: Floats | None,
    *,
    heterogeneity: bool,
    correlated: bool = False,
) -> Structure:
    """The model with its parameters; ``design`` ``None`` gives each study an effect of its own."""
    ones = np.ones((len(which[0][1]), 1))
    parameters = [Parameter("effect", True, None, design)]
    if studies == "fixed":
        parameters.append(Parameter("level", False, None, None))
    dimensions = 0
    if studies == "random":
        parameters += [Parameter("level", False, None, ones), Parameter("sigma", False, 0, ones)]
        dimensions = 1
    if heterogeneity:
        parameters.append(Parameter("tau", True, dimensions, ones))
        if correlated:
            parameters.append(Parameter("shared", True, 0, ones))
        dimensions += 1
    return Structure(which, tuple(parameters), dimensions)
