"""Teacher expectancy and pupil IQ: nineteen experiments (Raudenbush & Bryk 1985, J Educ Stat 10:75, table 1).

Raudenbush (2009), in The Handbook of Research Synthesis and Meta-Analysis, 2nd ed., pp. 295-315, works the same data:
random effects by REML, and weeks of contact before the experiment (more than three counted as three). Effects and
variances are facts of table 1, as kept in R's metadat; the random-effects digits are those that metafor prints.
"""

from __future__ import annotations

import pytest

from balm.stats.effect_sizes import EffectSizes
from balm.stats.pooling.pool import pool
from balm.stats.regression.meta_regression import meta_regression

#: Standardised mean difference, variance, weeks of contact.
STUDIES = [
    (0.03, 0.0156, 2),
    (0.12, 0.0216, 21),
    (-0.14, 0.0279, 19),
    (1.18, 0.1391, 0),
    (0.26, 0.1362, 0),
    (-0.06, 0.0106, 3),
    (-0.02, 0.0106, 17),
    (-0.32, 0.0484, 24),
    (0.27, 0.0269, 0),
    (0.80, 0.0630, 1),
    (0.54, 0.0912, 0),
    (0.18, 0.0497, 0),
    (-0.02, 0.0835, 1),
    (0.23, 0.0841, 2),
    (-0.18, 0.0253, 17),
    (-0.06, 0.0279, 5),
    (0.30, 0.0193, 1),
    (0.07, 0.0088, 2),
    (-0.07, 0.0303, 7),
]
ES = EffectSizes(effect=[s[0] for s in STUDIES], variance=[s[1] for s in STUDIES])
WEEKS = [min(s[2], 3) for s in STUDIES]


def test_random_effects() -> None:
    fit = pool(ES, inference="wald")
    assert (fit.estimate, fit.se, fit.tau2) == pytest.approx((0.0837, 0.0516, 0.0188), abs=5e-5)
    assert (fit.q, fit.q_df) == (pytest.approx(35.8295, abs=5e-5), 18)
    assert fit.q_p == pytest.approx(0.0074, abs=5e-5)
    assert fit.tau2_se == pytest.approx(0.0155, abs=5e-5)


def test_weeks_of_contact_explain_the_variance() -> None:
    fit = meta_regression(ES, "~ weeks", data={"weeks": WEEKS}, inference="wald")
    assert fit.beta == pytest.approx([0.4072, -0.1572], abs=5e-5)
    assert fit.se == pytest.approx([0.087, 0.036], abs=5e-4)
    assert fit.tau2 == pytest.approx(0.0, abs=1e-12)
