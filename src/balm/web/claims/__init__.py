"""Claims of a text that a member pastes."""
