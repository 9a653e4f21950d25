"""A table of columns as a data frame, where there is pandas."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any


def frame(table: Mapping[str, Any]) -> Any:
    """A pandas DataFrame of the columns; a plain dict of them without pandas."""
    try:
        return import_module("pandas").DataFrame(dict(table))
    except ImportError:
        return dict(table)
