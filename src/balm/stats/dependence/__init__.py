"""Several effects of one study: pooling them within the study, and how correlations of one sample covary."""

from __future__ import annotations

from balm.stats.dependence.aggregate import Aggregated, aggregate
from balm.stats.dependence.correlations import CorrelationRegression, covariance_of_correlations, regress_correlations

__all__ = [
    "Aggregated",
    "CorrelationRegression",
    "aggregate",
    "covariance_of_correlations",
    "regress_correlations",
]
