"""What people do in a clinic: one function an act, each with its event in the same transaction."""
