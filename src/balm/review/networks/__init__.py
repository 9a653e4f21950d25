"""Network meta-analyses that a review plans: read from the plan, drawn from the arms, carried out."""
