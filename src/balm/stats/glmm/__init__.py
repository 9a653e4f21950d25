"""Generalised linear mixed models for counts: the studies' own likelihoods in place of normal approximations."""
