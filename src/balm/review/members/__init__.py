"""Who takes part in a review, and what each may do and see."""
