"""A record filled slot by slot: the ``__init__`` of a frozen class takes nine times as long, and readers make millions.

A draft has the slots of a record and may still be written to; its last step is to become a record, which may not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from balm.vocabulary.record import Record

_NAMES = Record.__match_args__
_Draft = type("_Draft", (), {"__slots__": _NAMES})


def _filler() -> Callable[..., Record]:
    lines = [
        "draft = new()",
        *(f"draft.{name} = {name}" for name in _NAMES),
        "draft.__class__ = Record",
        "return draft",
    ]
    made: dict[str, Any] = {"new": _Draft, "Record": Record}
    exec(f"def filled({', '.join(_NAMES)}):\n  " + "\n  ".join(lines), made)
    filled: Callable[..., Record] = made["filled"]
    return filled


#: The record of 35 values, one for each field of :class:`~balm.vocabulary.record.Record` in its order.
filled = _filler()
