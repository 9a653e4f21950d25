"""The longest cell a reader of CSV takes: each reader has its own bound."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def longest_cell(characters: int) -> Iterator[None]:
    """The csv module refuses a longer cell within it; the limit is one for the whole process, so it goes back.

    >>> with longest_cell(3):
    ...     next(csv.reader(["abcd"]))
    Traceback (most recent call last):
    _csv.Error: field larger than field limit (3)
    >>> next(csv.reader(["abcd"]))
    ['abcd']
    """
    before = csv.field_size_limit(characters)
    try:
        yield
    finally:
        csv.field_size_limit(before)
