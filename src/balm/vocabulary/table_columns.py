"""What a table of the formats is: its columns in order, the kind of each cell, what names a row.

Kinds of cell: ``text``; ``id`` (letters, digits, ``. _ -``; names a row); ``ids`` (several, separated by ``;``);
``choice`` (one of a closed list); ``yes-no``; ``year``; ``count`` (whole, 0 or more); ``size`` (whole, 1 or more);
``number``; ``positive`` (above 0); ``decimal`` (a number kept digit by digit, for doses); ``date`` (``2026-03-01``);
``when`` (a date as far as it is known: ``2026``, ``2026-03`` or ``2026-03-01``);
``moment`` (``2026-03-01T09:30``, local time, no zone); ``level`` (between 0 and 1); ``p`` (a number or bound between 0
and 1); ``reported`` (a number, a bound such as ``<=0.35`` or a range such as ``10-40``). An empty cell is
*not reported*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name, kind of cell, meaning, unit, whether it must be filled, and what its values refer to.

    ``refers`` is ``"studies"`` (a ``study`` of ``studies.csv``), ``"arms"`` (an ``arm`` of the row's study),
    ``"arms*"`` (as before, or ``all`` or ``either`` where the number belongs to no single arm), ``"reports"``,
    ``"results"``, ``"records"``, ``"searches"`` or ``"outcomes"``, ``"windows"``, ``"scales"``, ``"analyses"``,
    ``"comparisons"`` of ``review.toml``; in a registry, a table or a list of ``registry.toml``.
    """

    name: str
    kind: str
    about: str
    unit: str = ""
    required: bool = False
    allowed: tuple[str, ...] = ()
    refers: str = ""
    optional: bool = False  # a header may leave it out: the column came to the format after packages were written
    low: float | None = None  # the least and the largest value that can be true, both included
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One file: its columns in order, what identifies a row, the value class of a row, and what it is for."""

    file: str
    attribute: str  # of the whole: Package, Registry
    row: type[Any]
    about: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    required: bool = False
    escaped: bool = False  # texts that a spreadsheet would run as a formula stand behind an apostrophe in the file

    def column(self, name: str) -> Column:
        """The column called ``name``."""
        return next(c for c in self.columns if c.name == name)
