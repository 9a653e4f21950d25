"""Extraction: what is asked of a study, who may enter it when, how two extractions differ, and what becomes agreed."""
