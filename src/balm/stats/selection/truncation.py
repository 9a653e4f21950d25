"""The truncation model with its point estimated too: the likelihood jumps at the effects and is searched between them.

For a given point the model is smooth. Between two neighbouring effects the likelihood rises towards the upper one where
the wrong side has a weight below 1, and towards the lower one otherwise, so that its maxima lie at the effects: each is
tried from both sides, and the search is exact (Rust, Lehmann & Farley 1990, J Mark Res 27:220).
"""

from __future__ import annotations

import math

import numpy as np

from balm.stats.selection.fitted import Choices, SelectionModel
from balm.stats.selection.fitting import result
from balm.stats.selection.likelihood import Likelihood, typical_unit
from balm.stats.selection.selection_model import Turned, truncated_at
from balm.vocabulary.problems import InputError


def truncated_somewhere(turned: Turned, choices: Choices, fixed: list[float]) -> SelectionModel:
    """The highest maximum over all points; the errors are those of a known point, and are too small."""
    if choices.cluster is not None:
        raise InputError("truncation='estimate' has no robust standard errors: leave cluster= out or give the point")
    estimated = turned.x.shape[1] + (1 if turned.common else 2) + int(math.isnan(fixed[0]))
    if len(turned.y) <= estimated:
        raise InputError(
            f"truncation='estimate' needs more studies than the {estimated} parameters of this model; there are "
            f"{len(turned.y)}"
        )
    unit = typical_unit(turned.v, turned.x)
    best = None
    values = np.unique(turned.y).tolist()
    for cut in values:
        for at_cut in (True, False):
            if not at_cut and cut == values[-1]:
                continue  # every effect would be on the wrong side
            steps = truncated_at(turned, cut, fixed, at_cut=at_cut)
            if fixed == [0.0] and (steps.member == 1).any():
                continue
            likelihood = Likelihood(
                turned.y / unit, turned.v / unit**2, turned.x, steps.in_units(unit), common=turned.common
            )
            found = [likelihood.from_start(start) for start in likelihood.starts[:3]]
            found = [one for one in found if math.isfinite(one.height)]
            if not found:
                continue
            found.sort(key=lambda one: (not likelihood.inside(one), one.height))
            if best is None or (not likelihood.inside(found[0]), found[0].height) < best[0]:
                best = ((not likelihood.inside(found[0]), found[0].height), likelihood, found, cut)
    assert best is not None
    _, likelihood, found, cut = best
    found = likelihood.maxima([*(one.at for one in found), *likelihood.starts])
    point = choices.sign * cut + 0.0
    return result(likelihood, found, 0.0, unit, choices.with_(truncation=point))
