"""Every effect measure, one row each: validation, docs, errors and the command line read this table."""

from __future__ import annotations

from types import MappingProxyType

from balm.stats.measures import (
    correlations,
    explained_variance,
    generic,
    matched_pairs,
    mean_conversions,
    paired_means,
    person_time,
    reliability,
    single_group,
    two_group_association,
    two_group_binary,
    two_group_means,
)
from balm.stats.measures.arguments import ARGUMENTS, Argument
from balm.stats.measures.measure import Measure

_FAMILIES = (
    two_group_binary,
    two_group_association,
    person_time,
    two_group_means,
    mean_conversions,
    paired_means,
    matched_pairs,
    single_group,
    correlations,
    explained_variance,
    reliability,
    generic,
)

#: Code -> :class:`Measure`, in the order in which they are documented.
MEASURES = MappingProxyType({m.code: m for family in _FAMILIES for m in family.MEASURES})

__all__ = ["ARGUMENTS", "MEASURES", "Argument", "Measure"]
