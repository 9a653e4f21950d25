"""Permutation tests: significance from rearranging the data at hand, without a distribution from a table."""
