"""Versions: the history of a review, what changed, releases, and what stands behind a number."""
