"""The report of a review as one structure of sections, and the forms it is written in."""
