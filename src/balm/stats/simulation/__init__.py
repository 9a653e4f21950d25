"""Analyses of simulated data: the same studies drawn again and again, refitted at array speed."""
