"""Events over person-time, in two groups: rate ratios and differences.

``x`` events in ``t`` units of person-time; all rates are per unit of the time given.
"""

from __future__ import annotations

from balm.stats.arrays import np
from balm.stats.measures.measure import Floats, Measure
from balm.vocabulary.scale import IDENTITY, LOG

COLUMNS = ("events_1", "time_1", "events_2", "time_2")


def rate_ratio(*, events_1: Floats, time_1: Floats, events_2: Floats, time_2: Floats) -> tuple[Floats, Floats]:
    """Log incidence rate ratio ``ln((x1/t1)/(x2/t2))`` with variance ``1/x1 + 1/x2``.

    Cochrane Handbook, section 6.7.1; Rothman, Greenland & Lash (2008), chapter 14.
    """
    return np.log(events_1 / time_1) - np.log(events_2 / time_2), 1.0 / events_1 + 1.0 / events_2


def rate_difference(*, events_1: Floats, time_1: Floats, events_2: Floats, time_2: Floats) -> tuple[Floats, Floats]:
    """Incidence rate difference ``x1/t1 - x2/t2`` with variance ``x1/t1^2 + x2/t2^2``."""
    return events_1 / time_1 - events_2 / time_2, events_1 / time_1**2 + events_2 / time_2**2


def root_rate_difference(
    *, events_1: Floats, time_1: Floats, events_2: Floats, time_2: Floats
) -> tuple[Floats, Floats]:
    """Difference of square roots of rates; its variance ``1/(4 t1) + 1/(4 t2)`` is free of the rates."""
    return np.sqrt(events_1 / time_1) - np.sqrt(events_2 / time_2), 0.25 / time_1 + 0.25 / time_2


_FAMILY = "two-group person-time"
MEASURES = (
    Measure(
        "IRR",
        "Incidence rate ratio",
        _FAMILY,
        rate_ratio,
        LOG,
        COLUMNS,
        "Cochrane Handbook, section 6.7.1",
        zero_cells="corrected",
        double_zero="excluded",
    ),
    Measure(
        "IRD",
        "Incidence rate difference",
        _FAMILY,
        rate_difference,
        IDENTITY,
        COLUMNS,
        "Cochrane Handbook, section 6.7.1",
        zero_cells="corrected",
    ),
    Measure(
        "IRSD",
        "Difference of square roots of rates",
        _FAMILY,
        root_rate_difference,
        IDENTITY,
        COLUMNS,
        "Rothman, Greenland & Lash 2008",
        zero_cells="on-request",
    ),
)
