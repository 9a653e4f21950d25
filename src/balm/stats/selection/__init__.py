"""Selection models: which studies come to be seen depends on their p values, and the fit allows for it."""
