"""Teacher expectancy and pupil IQ: nineteen experiments (Raudenbush & Bryk 1985, J Educ Stat 10:75, table 1).

Raudenbush (2009, The Handbook of Research Synthesis and Meta-Analysis, 2nd ed., chapter 16) works them again. Random
effects by REML, and the weeks of contact before the experiment (more than three counted as three).

Analysis: Raudenbush & Bryk 1985 (J Educ Stat 10:75), teacher expectancy; Raudenbush 2009, The
    Handbook of Research Synthesis and Meta-Analysis, 2nd ed., chapter 16
Where: data of table 1; REML pp. 80-82 (locators of metafor-project.org/doku.php/analyses:raudenbush1985)
Compared: common effect, random effects by REML with Q, prediction, range of the studies' estimated effects, regression
    on weeks of contact
Figures: those of 2009 (table 16.2, pp. 301-302), as the test of metafor-project.org/doku.php/analyses:raudenbush2009
    checks them; the chapter prints 1.65 for z = 1.6553, 0.083 for the mean of 0.0837 and -0.07 for -0.0646, and its
    prediction interval (-0.19 to 0.35) leaves out the uncertainty of the mean; those of 1985 not seen; R metafor 3.8
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


def test_table_16_2_of_the_handbook() -> None:
    common = pool(ES, model="common", inference="wald")
    assert (common.estimate, common.q) == pytest.approx((0.0604, 35.8295), abs=5.001e-5)
    assert common.statistic == pytest.approx(1.6553, abs=5.001e-5)
    fit = pool(ES, inference="wald", prediction="normal")
    assert (fit.estimate, fit.statistic, fit.tau2) == pytest.approx((0.0837, 1.6208, 0.0188), abs=5.001e-5)
    interval = fit.prediction_interval
    # metafor's search for τ² stops at a step of 1e-5, which shows in the last digit
    assert (interval.low, interval.high) == pytest.approx((-0.2036, 0.3711), abs=1.5e-4)
    effects = fit.study_effects().estimate
    assert (effects.min(), effects.max()) == pytest.approx((-0.0293, 0.2485), abs=5.001e-5)
    weeks = meta_regression(ES, {"weeks": WEEKS}, inference="wald")
    assert weeks.beta == pytest.approx([0.4072, -0.1572], abs=5.001e-5)
    assert weeks.statistic == pytest.approx([4.6782, -4.3884], abs=1e-4)
    assert weeks.qe == pytest.approx(16.5708, abs=5.001e-5)
    # no variance is left: the studies' estimated effects are the fitted ones
    assert (weeks.fitted.min(), weeks.fitted.max()) == pytest.approx((-0.0646, 0.4072), abs=1e-4)
