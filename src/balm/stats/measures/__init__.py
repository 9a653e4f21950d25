"""Every effect measure, one row each: validation, docs, errors and the command line read this table."""

from __future__ import annotations

from types import MappingProxyType

from balm.stats.measures import (
    correlations,
    generic,
    person_time,
    reliability,
    single_group,
    two_group_association,
    two_group_binary,
    two_group_means,
)
from balm.stats.measures.arguments import ARGUMENTS, Argument
from balm.stats.measures.measure import Measure

#: Code -> :class:`Measure`, in the order in which they are documented.
MEASURES = MappingProxyType(
    {
        m.code: m
        for family in (
            two_group_binary,
            two_group_association,
            person_time,
            two_group_means,
            single_group,
            correlations,
            reliability,
            generic,
        )
        for m in family.MEASURES
    }
)

__all__ = ["ARGUMENTS", "MEASURES", "Argument", "Measure"]
