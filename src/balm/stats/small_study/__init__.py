"""Small-study effects: tests for funnel asymmetry, and what publication bias could have done to a pooled result."""
