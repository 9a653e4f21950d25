"""The bivariate random-effects model: logit sensitivity and logit false positive rate vary together between studies.

Two likelihoods: of the normal approximation to each study's logits (Reitsma et al. 2005), and of the counts themselves
(Chu & Cole 2006), which needs no continuity correction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from balm.stats.accuracy.binomial import both_proportions, each_alone
from balm.stats.accuracy.tables import Tables
from balm.stats.effect_sizes import EffectSizes, Floats
from balm.vocabulary.problems import InputError

#: With fewer studies than this the variances and their correlation cannot be told from the means.
MIN_STUDIES = 3


@dataclass(frozen=True, eq=False)
class Bivariate:
    """``mean`` (2,), its ``covariance`` (2, 2) and that ``between`` studies (2, 2): logit sensitivity, logit FPR.

    points, integration_error : nodes of the quadrature, and the change of the log-likelihood with the last refinement;
                                0 and nan where there is nothing to integrate.
    """

    mean: Floats
    covariance: Floats
    between: Floats
    log_likelihood: float
    residual: float
    points: int
    integration_error: float


def normal(t: Tables, method: str, correlated: bool) -> Bivariate:
    """The model of the logits with their estimated variances, by REML or ML.

    Reitsma et al. (2005) J Clin Epidemiol 58:982-90. ``log_likelihood`` is of the logits.
    """
    from balm.stats.multilevel.multilevel import multilevel

    t.without_zeros("the normal model")
    sens = np.tile([1.0, 0.0], t.k)
    fit = multilevel(
        EffectSizes(
            effect=np.column_stack((np.log(t.tp / t.fn), np.log(t.fp / t.tn))).ravel(),
            variance=np.column_stack((1.0 / t.tp + 1.0 / t.fn, 1.0 / t.fp + 1.0 / t.tn)).ravel(),
        ),
        {"sensitivity": sens, "fpr": 1.0 - sens},
        data={"study": np.repeat(np.arange(t.k), 2), "group": np.tile([0, 1], t.k)},
        random="group | study",
        structure="UN" if correlated else "DIAG",
        method=method,
        intercept=False,
        inference="wald",
    )
    return Bivariate(
        fit.beta, fit.covariance, fit.components[0].covariance, fit.log_likelihood, fit.residual, 0, math.nan
    )


def binomial(t: Tables, correlated: bool, points: int | None) -> Bivariate:
    """The model of the counts, by maximum likelihood; the integrals by adaptive Gauss-Hermite quadrature.

    points : nodes for each random effect; None refines until nothing changes, 1 is Laplace's approximation.
    Chu & Cole (2006) J Clin Epidemiol 59:1331-3; Cochrane Handbook for DTA Reviews, chapter 10.
    """
    fitted = both_proportions if correlated else each_alone
    found = fitted(t.tp, t.diseased, t.fp, t.healthy, points)
    if found.failed:
        raise InputError(
            f'the binomial model has no estimate: {found.failed}. model="normal" adds a half to every study with a '
            "zero cell, which moves it away from 0 and 1, and says so"
        )
    return Bivariate(*found[:-1])
