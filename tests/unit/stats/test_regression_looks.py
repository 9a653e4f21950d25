"""A look at one tau² by sums of products, beside the factorisation that the final numbers come from."""

from __future__ import annotations

import numpy as np
import pytest

from balm.stats.regression.looks import Looks
from balm.stats.regression.projection import Projection, projection


@pytest.mark.parametrize("spread", [0.5, 2.0, 4.0], ids="variances a factor of {0} apart".format)
@pytest.mark.parametrize("years", [0.0, 2000.0], ids=["centred", "years"])
def test_a_look_says_what_the_fit_says(spread: float, years: float):
    drawn = np.random.default_rng(5)
    for p in (1, 2, 4):
        k = 30
        variance = np.exp(drawn.normal(0.0, spread, k))
        design = np.column_stack([np.ones(k), years + drawn.normal(size=(k, p - 1))])
        effect = 5.0 + drawn.normal(size=k) * np.sqrt(variance)
        looks = Looks(Projection(effect, design, np.ones(k)), variance, design)
        for tau2 in (0.0, 1e-3, 1.0, 1e4, 1e-2):
            seen, fit = looks.at(tau2), projection(effect, variance, design, tau2)
            # What cancels is lost by both ways: a share of the largest weight, and of the sum of all squares.
            most = float(fit.weights.max())
            assert seen.trace() == pytest.approx(fit.trace(), rel=1e-11, abs=1e-11 * most)
            assert seen.trace_of_square() == pytest.approx(fit.trace_of_square(), rel=1e-11, abs=1e-11 * most**2)
            assert seen.rss == pytest.approx(fit.rss, rel=1e-9)
            assert seen.y_pp_y() == pytest.approx(fit.y_pp_y(), rel=1e-9)
            assert seen.y_ppp_y() == pytest.approx(fit.y_ppp_y(), rel=1e-9)
