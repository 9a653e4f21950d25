"""Bayesian random-effects meta-analysis by deterministic quadrature: no chains, no random numbers."""
