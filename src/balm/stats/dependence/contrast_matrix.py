"""Which groups each effect compares, as columns for a regression: +1 for group 1, -1 for group 2."""

from __future__ import annotations

from typing import Any

import numpy as np

from balm.stats.columns import column_names
from balm.stats.effect_sizes import Floats
from balm.stats.multilevel.grouping import grouping
from balm.vocabulary.problems import InputError, check_option


def contrast_matrix(group_1: Any, group_2: Any, *, data: Any = None, reference: str | None = None) -> dict[str, Floats]:
    """A column a group, 1 where it is group 1 of an effect, -1 where group 2, 0 elsewhere.

    group_1, group_2 : (k,) labels of the two compared groups, or names of columns of ``data``.
    reference        : the group whose column is left out; the coefficients then compare the others with it.

    The columns are moderators without an intercept: a network of contrasts is
    ``balm.multilevel(es, contrast_matrix(a, b, reference="placebo"), intercept=False, ...)``
    (Salanti et al. 2008, Stat Methods Med Res 17:279). Whole networks, with their consistency and plots, are
    :func:`balm.network`.

    >>> {name: x.tolist() for name, x in contrast_matrix(["A", "B"], ["placebo", "A"], reference="placebo").items()}
    {'A': [1.0, -1.0], 'B': [0.0, 1.0]}
    """
    first, second = _labels("group_1", group_1, data), _labels("group_2", group_2, data)
    if len(first) != len(second):
        raise InputError(f"group_1 has {len(first)} labels and group_2 {len(second)}")
    same = [i for i, (a, b) in enumerate(zip(first, second, strict=True)) if a == b]
    if same:
        raise InputError(f"row {same[0] + 1}: both groups are {first[same[0]]!r}; an effect compares two")
    groups = sorted({*first, *second})
    if reference is not None:
        check_option("reference", reference, groups)
    plus, minus = np.array(first), np.array(second)
    return {g: (plus == g).astype(np.float64) - (minus == g).astype(np.float64) for g in groups if g != reference}


def _labels(name: str, given: Any, data: Any) -> list[str]:
    """One label a row, as text; a missing one is refused with its row."""
    if isinstance(given, str):
        known = [] if data is None else column_names(data)
        if given not in known:
            raise InputError(f"{name}: no column {given!r} among {known}: give the table as data=")
        name, given = given, data[given]
    found = grouping(name, given)
    names = [str(label) for label in found.labels]
    return [names[code] for code in found.codes.tolist()]
