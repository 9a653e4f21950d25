"""Screening: in which order to read, when it may be enough, and how far reviewers agree. Pure functions of votes."""
