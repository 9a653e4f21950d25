"""The audit report of a registry: what may be shown of it, its words, its tables and its page."""
