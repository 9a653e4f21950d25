"""Diagnostic test accuracy: how well a test tells people with a condition from those without, over several studies."""
