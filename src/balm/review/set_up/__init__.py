"""The plan of a review as a team edits it: its sections, and how a change is written into the file."""
