"""Certainty of the evidence (GRADE): each domain proposed from the data with its rule, decided by a person."""
