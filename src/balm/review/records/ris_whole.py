"""The optional compiled way to the fields of one RIS record: ``whole.c``, built with the package where a compiler is.

It takes the records that need no judgement, in whatever order their tags stand; the others, and all of them where it
is missing or switched off with ``BALM_KERNEL=off``, go through Python alone and come out the same. A test compares the
two on every sample and on made-up files.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from importlib import import_module
from typing import Any

from balm.review.records.ris_fast import IN_ONE_LINE, ON_ONE_LINE, RUNS, SEVERAL, Plan, plan_of, with_plan
from balm.review.records.ris_fields import PLAIN_TAGS, TEXT_TAGS

#: What ``whole.c`` calls them.
_ONCE, _SEVERAL, _AUTHOR, _KEYWORD, _ON_ONE_LINE, _IN_ONE_LINE, _KNOWN, _TEXT = (1 << bit for bit in range(8))
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: Orders of tags kept with their plans. Databases repeat a few hundred; a file made up to have more is read without.
_PLANS = 4096
#: A record on its short way saves three times what one costs that turns out not to be ordinary.
_SAVED, _LUCK = 3, 20

#: The compiled function; :func:`take` says what it gives.
Take = Callable[[str, int, bytes, bool], Any]


@lru_cache(maxsize=1)
def take() -> Take | None:
    """The compiled function, or ``None``.

    ``take()(text, at, table, ordinary)`` is ``(tags, values, authors, keywords, end, blank lines before, lines)`` of
    the record behind the line end ``text[at]`` up to the line end ``text[end]``; ``(None, fields, ...)`` of one that is
    not ordinary, and ``None`` where there is no whole record to take without judgement.
    """
    if os.environ.get("BALM_KERNEL", "").lower() in ("off", "0", "no"):
        return None
    try:
        found: Take = import_module("balm.review.records._whole").take
    except ImportError:
        return None
    return found


def _rights(tag: str) -> int:
    if tag == "KW":
        right = _KEYWORD
    elif tag in RUNS:
        right = _AUTHOR
    elif tag not in with_plan():
        right = 0
    else:
        right = _SEVERAL if tag in SEVERAL else _ONCE
    right |= _ON_ONE_LINE if tag in ON_ONE_LINE else 0
    right |= _IN_ONE_LINE if tag in IN_ONE_LINE else 0
    return right | (_KNOWN if tag in PLAIN_TAGS else 0) | (_TEXT if tag in TEXT_TAGS else 0)


#: What each tag may be, a byte for each two letters or letter and digit.
TABLE = bytes(_rights(first + second) for first in _LETTERS for second in _LETTERS + "0123456789")


class Way:
    """The plan of one order of tags, and whether its records have been ordinary so far."""

    __slots__ = ("luck", "plan")

    def __init__(self, plan: Plan | None) -> None:
        self.plan = plan
        self.luck = _LUCK if plan is not None else -1

    def was(self, ordinary: bool) -> None:
        """Whether the last record was ordinary."""
        self.luck = min(self.luck + _SAVED, _LUCK) if ordinary else self.luck - 1


class Ways(dict[str, Way]):
    """The ways of one file's orders of tags, made when first met."""

    def __missing__(self, tags: str) -> Way:
        way = Way(plan_of(tuple([tags[at : at + 2] for at in range(0, len(tags), 2)])))
        if len(self) < _PLANS:
            self[tags] = way
        return way
