"""How many records are shown between two trainings of the model."""

from __future__ import annotations

import re

from balm.vocabulary.problems import InputError

_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


def check_schedule(schedule: str) -> float:
    """The share of the labels so far that is shown before the model learns again; 0 for ``"every"`` label.

    >>> check_schedule("every"), check_schedule("2%")
    (0.0, 0.02)
    """
    if schedule == "every":
        return 0.0
    found = _SHARE.fullmatch(schedule.strip()) if isinstance(schedule, str) else None
    if found is None or not 0 < float(found[1]) <= 100:
        raise InputError(f'schedule must be "every" or a per cent of the labels such as "2%"; got {schedule!r}')
    return float(found[1]) / 100


def batch_size(share: float, labels: int, waiting: int) -> int:
    """Records to show next, given how many have a label and how many wait for one.

    >>> batch_size(0.0, 500, 100), batch_size(0.02, 500, 100), batch_size(0.02, 10, 100), batch_size(0.02, 500, 3)
    (1, 10, 1, 3)
    """
    return min(waiting, max(1, int(share * labels + 1e-9)))
