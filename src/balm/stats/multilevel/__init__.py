"""Dependent effects: multilevel and multivariate models, and inference that holds whatever the dependence.

One study often gives several effects. Three answers live here: random effects for every level of nesting
(:mod:`~balm.stats.multilevel.multilevel`), known covariances of the sampling errors
(:mod:`balm.stats.dependence.covariance`), and cluster-robust inference that needs neither to be right
(:mod:`~balm.stats.multilevel.cluster_robust`).
"""

from __future__ import annotations
