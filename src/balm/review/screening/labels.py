"""Decisions in, inclusions out: what the order learns from and what a simulation knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from balm.review.records.labels import as_decision
from balm.vocabulary.problems import InputError, Problem
from balm.vocabulary.record import Record

#: "Maybe" goes forward to the full text (Cochrane), so the order learns from it as from an inclusion.
FORWARD = {"include": True, "maybe": True, "exclude": False}
#: Cells of a label column that say there is no label; -1 is ASReview's.
NO_LABEL = frozenset({"", "-1", "-1.0", "na", "n/a", "nan", "none", "null", "not_seen", "unlabeled", "unlabelled"})
_LETTERS = {"y": True, "n": False}


def inclusion(label: object) -> bool | None:
    """Whether a label sends its record forward; ``None`` where it is no label.

    >>> inclusion(1), inclusion("exclude"), inclusion("maybe"), inclusion("")
    (True, False, True, None)
    """
    if isinstance(label, (bool, np.bool_)):
        return bool(label)
    if isinstance(label, (int, float, np.integer, np.floating)):
        return {0.0: False, 1.0: True}.get(float(label))
    if isinstance(label, str):
        decision = as_decision(label)
        return _LETTERS.get(label.strip().lower()) if decision is None else FORWARD[decision]
    return None


def unlabelled(cell: str) -> bool:
    """Whether a cell of a label column says that its record has no label.

    >>> unlabelled(" "), unlabelled("-1"), unlabelled("0")
    (True, True, False)
    """
    return cell.strip().lower() in NO_LABEL


def inclusions(labels: Iterable[object], n: int) -> npt.NDArray[np.bool_]:
    """One inclusion for each of ``n`` records; every label must be one."""
    given = list(labels)
    if len(given) != n:
        raise InputError(Problem(f"labels must be one a record: there are {len(given)} labels and {n} records"))
    found = [inclusion(label) for label in given]
    missing = [
        Problem(f"a label must be 1 or 0, include or exclude; got {given[i]!r}", row=i + 1)
        for i, value in enumerate(found)
        if value is None
    ]
    if missing:
        raise InputError(missing[:20])
    return np.array(found, dtype=bool)


def decided(records: Sequence[Record] | Sequence[str], decisions: object) -> dict[int, bool]:
    """Position -> inclusion, from ``{record id or position: decision}`` or from one decision (or ``None``) a record."""
    if decisions is None:
        return {}
    if isinstance(decisions, Mapping):
        places: dict[object, int] = {r.id: i for i, r in enumerate(records) if isinstance(r, Record)}
        named = [r.id for r in records if isinstance(r, Record)]
        several = {r for r, found in Counter(named).items() if found > 1} if len(places) < len(named) else set()
        pairs = []
        for key, label in decisions.items():
            at = key if isinstance(key, (int, np.integer)) and not isinstance(key, bool) else places.get(key)
            if at is None or not 0 <= at < len(records):
                raise InputError(Problem(f"decisions: there is no record {key!r}"))
            if key in several:
                raise InputError(Problem(f"decisions: several records go by the id {key!r}; name them by position"))
            pairs.append((int(at), label))
    elif isinstance(decisions, Iterable) and not isinstance(decisions, str):
        given = list(decisions)
        if len(given) != len(records):
            reason = f"there are {len(given)} for {len(records)} records; leave None where there is none yet"
            raise InputError(Problem(f"decisions must be one a record: {reason}"))
        pairs = [(i, label) for i, label in enumerate(given) if label is not None]
    else:
        raise InputError(Problem(f"decisions must be a mapping or one decision a record; got {decisions!r}"))
    known = {}
    for at, label in pairs:
        found = inclusion(label)
        if found is None:
            raise InputError(Problem(f"a decision must be include, maybe or exclude; got {label!r} for record {at}"))
        known[at] = found
    return known
