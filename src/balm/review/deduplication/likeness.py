"""rapidfuzz, which compares texts in C: asked for once, with one clear error where it is missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from balm.vocabulary.problems import InputError

fuzz: Any
process: Any
OSA: Any
try:
    fuzz, process, OSA = (import_module(f"rapidfuzz.{name}") for name in ("fuzz", "process", "distance.OSA"))
except ImportError:
    fuzz = process = OSA = None


def check_installed() -> None:
    """Raise the way out where rapidfuzz is not installed; everything else of a review works without it."""
    if process is None:
        raise InputError("finding duplicates needs rapidfuzz: pip install 'balm[records]'")
