"""Guidance: ask for one patient, see what sources say, what contradicts what, and the basis of each line."""
