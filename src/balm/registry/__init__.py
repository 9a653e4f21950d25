"""What a clinic records of a therapy, and what may be said of it: tables, checks, schedule, responders, statistics."""
