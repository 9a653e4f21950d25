"""Teacher expectancy and pupil IQ: nineteen experiments (Raudenbush & Bryk 1985, J Educ Stat 10:75, table 1).

Random effects by REML, and the weeks of contact before the experiment (more than three counted as three).

Analysis: Raudenbush & Bryk 1985 (J Educ Stat 10:75), teacher expectancy
Where: data of table 1; REML pp. 80-82 (locators of metafor-project.org/doku.php/analyses:raudenbush1985)
Compared: random effects by REML with Q, regression on weeks of contact
Figures: neither those of 1985 nor those of Raudenbush 2009, who works the data again, were seen; R metafor 3.8
Page: worked-examples/teacher-expectancy.md
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
    assert (fit.estimate, fit.se) == pytest.approx((0.0837012418826, 0.0516406713641), abs=1e-9)
    assert (fit.tau2, fit.tau2_se) == pytest.approx((0.0188182881402, 0.0155240113866), abs=1e-9)
    assert (fit.q, fit.q_df) == (pytest.approx(35.8295362996, abs=1e-8), 18)
    assert fit.q_p == pytest.approx(0.00741931325488, abs=1e-10)


def test_weeks_of_contact_explain_the_variance() -> None:
    fit = meta_regression(ES, "~ weeks", data={"weeks": WEEKS}, inference="wald")
    assert fit.beta == pytest.approx([0.407185342983, -0.15724443098], abs=1e-9)
    assert fit.se == pytest.approx([0.0870378944229, 0.0358312257498], abs=1e-9)
    assert fit.tau2 == pytest.approx(0.0, abs=1e-12)
