"""What a row of the measure table says: how a measure is named, computed, displayed and sourced."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from balm.stats.arrays import Floats as Floats
from balm.vocabulary.quick_dataclass import dataclass
from balm.vocabulary.scale import Scale

#: A formula takes its columns by keyword, each ``(k,)`` float64, and returns effect and variance, each ``(k,)``.
Formula = Callable[..., tuple[Floats, Floats]]


@dataclass(frozen=True, slots=True)
class Measure:
    """One effect measure.

    code           : as in metafor ("RR", "SMCC", "PFT").
    name           : in words, as a table heading would have it.
    family         : which kind of data it takes ("two-group binary", "paired means" ...).
    function       : the formula, elementwise over studies.
    scale          : of the effect, and so the way back to what a person reads.
    columns        : arguments that are always needed.
    one_of         : alternatives, exactly one of which must be given as well (``se`` or ``variance`` ...).
    variance_types : accepted by ``variance_type``, the default first; empty when there is one variance only.
    small_sample   : accepted by ``small_sample``, the default first; empty when there is no correction.
    zero_cells     : whether ``add``, ``to`` and ``drop_double_zero`` apply, and how: "" (not at all),
                     "corrected" (by default where a cell is zero) or "on-request" (only when the caller asks).
    double_zero    : what two arms without events (or without non-events) say about the measure: "excluded" when
                     nothing, as for ratios, "kept" otherwise.
    source         : paper or handbook with section.
    """

    code: str
    name: str
    family: str
    function: Formula
    scale: Scale
    columns: tuple[str, ...]
    source: str
    one_of: tuple[tuple[str, ...], ...] = ()
    variance_types: tuple[str, ...] = ()
    small_sample: tuple[str, ...] = ()
    zero_cells: str = ""
    double_zero: str = "kept"

    @property
    def accepts(self) -> tuple[str, ...]:
        """Every argument this measure can take, required ones first."""
        return self.columns + tuple(dict.fromkeys(c for group in self.one_of for c in group))

    @property
    def takes(self) -> str:
        """The arguments in words: ``effect, and se | variance | ci_low, ci_high | p``."""
        always = ", ".join(self.columns)
        if not self.one_of:
            return always
        choice = " | ".join(", ".join(group) for group in self.one_of)
        return f"{always}, and {choice}" if always else choice

    def options(self) -> dict[str, Any]:
        """The options this measure knows, with their defaults."""
        known: dict[str, Any] = {}
        if self.zero_cells:
            where = "only-zero" if self.zero_cells == "corrected" else "none"
            known |= {"add": 0.5, "to": where, "drop_double_zero": False}
        if self.variance_types:
            known["variance_type"] = self.variance_types[0]
        if self.small_sample:
            known["small_sample"] = self.small_sample[0]
        return known
