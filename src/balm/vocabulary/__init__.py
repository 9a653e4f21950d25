"""The words of the field: small frozen values that every room shares. Standard library only."""
