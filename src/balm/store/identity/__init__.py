"""The identity vault: who stands behind a pseudonym, encrypted under a key per person that is kept elsewhere."""
