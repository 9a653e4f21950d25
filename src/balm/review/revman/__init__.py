"""RevMan files as values: what a review holds, what RevMan stored, and the same numbers computed again. Pure."""
