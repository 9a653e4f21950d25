"""What people do on a team's server, one module a stage. Each act saves its change and its event in one transaction."""
