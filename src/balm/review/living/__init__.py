"""A review that stays alive: its versions, what came with each, what changed since, what has gone stale, releases."""
