"""Effect sizes, pooling and heterogeneity. NumPy and SciPy only; every formula carries its source."""
