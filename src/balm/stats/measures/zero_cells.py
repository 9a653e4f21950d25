"""Zero cells: which studies get a constant added, and what a study without any event says.

Sweeting, Sutton & Lambert (2004) Stat Med 23:1351; Cochrane Handbook, section 10.4.4.
"""

from __future__ import annotations

from balm.stats.arrays import Bools, np
from balm.stats.measures.measure import Floats
from balm.vocabulary.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The columns a formula gets, which rows were corrected, and which have no event (or only events) in both arms."""

    columns: dict[str, Floats]
    corrected: Bools
    double_zero: Bools


def rows_to_correct(zero: Bools, to: str) -> Bools:
    """The rows that ``to`` names, where ``zero`` marks the rows with an empty cell."""
    if to == "all" or (to == "if-any-zero" and bool(zero.any())):
        return np.ones_like(zero)
    return zero if to == "only-zero" else np.zeros_like(zero)


def correct(columns: dict[str, Floats], *, add: float, to: str, drop_double_zero: bool, rr_n_plus: float) -> Cells:
    """Add ``add`` to the cells of the rows that ``to`` names.

    ``rr_n_plus`` is what a group's size grows by, in units of ``add``: 2 when ``add`` goes to events and to non-events,
    1 under the convention ``rr_single_zero="n+0.5"``.  With ``drop_double_zero`` the rows without an event (or
    without a non-event) in either arm become ``nan`` and do not count when "if-any-zero" looks for a zero.
    """
    cells = dict(columns)
    if "events_1" in cells:
        counts = ["events_1", "events_2"]
        zero = (cells["events_1"] == 0) | (cells["events_2"] == 0)
        double = (cells["events_1"] == 0) & (cells["events_2"] == 0)
        if "n_1" in cells:
            full_1, full_2 = cells["events_1"] == cells["n_1"], cells["events_2"] == cells["n_2"]
            zero |= full_1 | full_2
            double |= full_1 & full_2
    elif "both" in cells:
        counts = ["both", "only_1", "only_2", "neither"]
        zero = (cells["both"] == 0) | (cells["only_1"] == 0) | (cells["only_2"] == 0) | (cells["neither"] == 0)
        none_1, none_2 = cells["both"] + cells["only_1"] == 0, cells["both"] + cells["only_2"] == 0
        all_1, all_2 = cells["only_2"] + cells["neither"] == 0, cells["only_1"] + cells["neither"] == 0
        double = (none_1 & none_2) | (all_1 & all_2)
    else:
        counts = ["homozygous_1", "heterozygous", "homozygous_2"] if "heterozygous" in cells else ["events"]
        zero = np.logical_or.reduce([cells[c] == 0 for c in counts])
        if "n" in cells:
            zero |= cells["events"] == cells["n"]
        double = np.zeros_like(zero)
    if drop_double_zero and double.any():
        for name in cells:
            cells[name] = np.where(double, np.nan, cells[name])
        zero = zero & ~double
    which = rows_to_correct(zero, to) if add else np.zeros_like(zero)
    if drop_double_zero:
        which &= ~double
    if which.any():
        extra = np.where(which, add, 0.0)
        for name in counts:
            cells[name] = cells[name] + extra
        for name in ("n_1", "n_2", "n"):
            if name in cells:
                cells[name] = cells[name] + rr_n_plus * extra
    return Cells(cells, which, double)
