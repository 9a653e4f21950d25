"""Meta-regression: study effects explained by study characteristics, with what is left over as tau²."""
