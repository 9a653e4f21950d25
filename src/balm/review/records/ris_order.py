"""The order in which one file writes its tags, learnt from its records and made one pattern that takes a record whole.

Databases write their tags in one order, leave out those a record lacks, and repeat some. A few records show that
order; from then on one match of a regular expression finds the fields of a record, their wrapped lines and its end.
A record in another order does not match, goes the general way (:mod:`balm.review.records.ris`) and teaches the order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from balm.review.records.ris_fast import SAME, Plan, plan_of, without_plan
from balm.review.records.ris_fields import PLAIN_TAGS

#: Records outside the pattern before it is made: a pattern takes as long to make as some fifty records to read.
LEARNT_FROM = 12
#: Every further pattern waits for so many times more of them.
PATIENCE = 6
#: After so many records outside the pattern, which is time for three of them, those left have no order of their own.
TRIED = 600
#: A record on its short way saves three times what a record costs that turns out not to be ordinary.
SAVED, LUCK = 3, 60
#: A line that goes on: anything but a tag at its usual place.
_GOES_ON = r"\n(?![A-Z][A-Z0-9]  -).*"
_NEVER = re.compile("(?!)")


class Order:
    """What is known of the order of tags in one file.

    ``match(text, at)`` is the match of a whole record after the line end ``text[at]``, up to the line end behind its
    ``ER``; group ``i + 1`` holds what stands in ``tags[i]``, with the tag between two values.

    >>> order = Order()
    >>> for _ in range(LEARNT_FROM):
    ...     order.learn(["TY", "AU", "AU", "TI"], ["JOUR", "A", "B", "T"])
    >>> order.match("\\nTY  - JOUR\\nAU  - C\\nAU  - D\\nER  - \\n", 0).groups()
    ('JOUR', 'C\\nAU  - D', None)
    """

    def __init__(self) -> None:
        self._order = ["TY"]
        self._several: set[str] = set()
        self._wrapped: set[str] = set()
        self._new = False
        self._met = self._left = LEARNT_FROM
        self._tried = 0
        #: Below zero, records of this file are seldom ordinary, and it is not tried.
        self.luck = LUCK
        self._make()
        self.match = _NEVER.match

    def learn(self, tags: Sequence[str], values: Sequence[str]) -> None:
        """Take in the order of a record that did not match; ``values`` are those of its ``tags``."""
        self._tried += 1
        if self._tried > TRIED:
            return
        once: list[str] = []
        for tag in tags:
            if not once or tag != once[-1]:
                once.append(tag)
            elif tag not in self._several:
                self._several.add(tag)
                self._new = True
        if (
            PLAIN_TAGS.issuperset(once[1:])
            and len(set(once)) == len(once)
            and (order := merged(self._order, once)) is not None
        ):
            self._order = order
            self._new = True
        for tag, value in zip(tags, values, strict=True):
            if "\n" in value and tag not in self._wrapped:
                self._wrapped.add(tag)
                self._new = True
        self._left -= 1
        if self._left <= 0 and self._new:
            self._make()
            self._met *= PATIENCE
            self._left, self._new = self._met, False

    def was(self, ordinary: bool) -> None:
        """Whether the last record was ordinary."""
        self.luck = min(self.luck + SAVED, LUCK) if ordinary else self.luck - 1

    def _make(self) -> None:
        tags = self.tags = tuple(self._order)
        self.match = re.compile("".join(["\n++", *map(self._field, tags), "\nER  - ?(?=\n)"])).match
        place = {tag: at for at, tag in enumerate(tags)}
        #: Places of two tags for one field, of which a record should have one.
        self.twice = tuple((place[usual], place[tag]) for tag, usual in SAME if tag in place and usual in place)
        second = {at for _, at in self.twice}
        odd = without_plan(tags)
        #: Places of tags that no plan knows.
        self.odd = tuple(place[tag] for tag in tags if tag in odd)
        named = (f"odd {tag}" if tag in odd or at in second else tag for at, tag in enumerate(tags))
        plan = plan_of(tuple(named), True)
        assert plan is not None
        self.plan: Plan = plan
        self.authors = tuple((place[tag], f"\n{tag}  - ") for tag in ("AU", "A1") if tag in place)
        self.keywords = place.get("KW", -1)
        #: Place, tag and mark between two values, where a value may be of several lines.
        self.loose = tuple(
            (at, tag, f"\n{tag}  - ")
            for at, tag in enumerate(tags)
            if tag in self._wrapped or (tag in self._several and tag not in ("AU", "A1", "KW"))
        )

    def _field(self, tag: str) -> str:
        if tag == "TY":
            return "TY  - (.*)"
        more = "|".join(
            [*([rf"\n{tag}  - .*"] if tag in self._several else ()), *([_GOES_ON] if tag in self._wrapped else ())]
        )
        return rf"(?:\n{tag}  - (.*{f'(?:{more})*+' if more else ''}))?+"


def merged(order: list[str], tags: list[str]) -> list[str] | None:
    """``order`` with the new ones of ``tags`` behind the tag before them; ``None`` where none is new or two differ.

    >>> merged(["TY", "AU", "PY"], ["TY", "AU", "TI", "PY"])
    ['TY', 'AU', 'TI', 'PY']
    """
    place = {tag: at for at, tag in enumerate(order)}
    known = [place[tag] for tag in tags if tag in place]
    if len(known) == len(tags) or known != sorted(known) or not tags or tags[0] != "TY":
        return None
    both = order[:]
    at = 0
    for tag in tags:
        if tag in place:
            at = both.index(tag) + 1
        else:
            both.insert(at, tag)
            at += 1
    return both
