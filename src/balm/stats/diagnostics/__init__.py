"""Diagnostics: which studies carry a result, which do not fit it, and how firmly the data speak about tau2."""
