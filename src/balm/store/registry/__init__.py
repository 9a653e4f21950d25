"""A clinic's registry on the server: clinics, members, and every row of every table, each version written once."""
