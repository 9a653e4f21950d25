"""A record filled slot by slot: the ``__init__`` of a frozen class takes nine times as long, and readers make millions.

A draft has the slots of a record and may still be written to; its last step is to become a record, which may not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import make_dataclass
from typing import cast

from balm.vocabulary.record import Record


def _becomes_a_record(draft: object) -> None:
    draft.__class__ = Record  # possible since the two have the same slots


_Draft = make_dataclass(
    "_Draft", Record.__slots__, slots=True, eq=False, repr=False, namespace={"__post_init__": _becomes_a_record}
)
#: The record of 35 values, one for each field of :class:`~balm.vocabulary.record.Record` in its order.
filled = cast(Callable[..., Record], _Draft)
