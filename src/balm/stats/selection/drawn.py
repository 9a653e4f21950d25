"""The estimated weight function along p, as a reader sees it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from balm.stats.effect_sizes import Floats
from balm.stats.selection.selected import Smooth, Steps
from balm.vocabulary.problems import InputError

if TYPE_CHECKING:
    from balm.stats.selection.fitted import SelectionModel


def p_values(z: Floats, alternative: str) -> Floats:
    """Of z turned so that large values are sought."""
    from scipy.special import ndtr

    found: Floats = 2.0 * ndtr(-np.abs(z)) if alternative == "two-sided" else ndtr(-z)
    return found


def relative_weight(fit: SelectionModel, p: Any) -> Any:
    """Weights at ``p``, as shares of the largest on a fine grid of p."""
    values = np.asarray(p, dtype=np.float64)
    if not ((values >= 0.0) & (values <= 1.0)).all():
        raise InputError(f"p must lie between 0 and 1; got {values[~((values >= 0) & (values <= 1))].ravel()[0]:g}")
    if fit._best is None:
        return values * math.nan
    grid = np.concatenate((np.linspace(0.0, 1.0, 2001), [1e-6, 1e-5, 1e-4, 1 - 1e-5]))
    most = float(np.max(_weight(fit, grid)))
    found = _weight(fit, np.atleast_1d(values)) / most
    return float(found[0]) if values.ndim == 0 else found


def _weight(fit: SelectionModel, p: Any) -> Any:
    selected = fit._likelihood.selected
    if isinstance(selected, Steps):
        if fit.choices.kind == "truncated":
            if fit.choices.truncation != 0.0:
                raise InputError("a truncation away from 0 is not a function of p: see .delta")
            return np.where(p <= 0.5, 1.0, fit.delta[0])
        return fit.delta[np.searchsorted(np.array(fit.choices.steps[:-1]), p, side="left")]
    assert isinstance(selected, Smooth) and fit._best is not None
    with np.errstate(divide="ignore"):
        log_p, log_q = np.log(np.maximum(p, 1e-300)), np.log1p(-p)
    return np.exp(selected.log_weight_at(log_p, log_q, fit._best.at[fit._likelihood.p + 1 :]))
