"""Rows and values: the team server's database. One Django app a stage; the rules stay in the pure rooms below."""
