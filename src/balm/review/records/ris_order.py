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
#: Every further pattern waits for so many more of them than the one before it.
STEP = 6
#: A file joins exports of several databases; orders that contradict one another are kept apart, up to so many.
ORDERS = 4
#: After so many records outside all patterns, which is time for three of them, those left have no order of their own.
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
    ...     known = order.learn(["TY", "AU", "AU", "TI"], ["JOUR", "A", "B", "T"])
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

    def learn(self, tags: Sequence[str], values: Sequence[str]) -> bool:
        """Take in the order of a record that did not match, or ``False`` where it contradicts what is known.

        ``values`` are those of its ``tags``.
        """
        self._tried += 1
        if self._tried > TRIED:
            return True
        several: set[str] = set()
        once: list[str] = []
        for tag in tags:
            if not once or tag != once[-1]:
                once.append(tag)
            else:
                several.add(tag)
        order = None
        if len(set(once)) < len(once) or not PLAIN_TAGS.issuperset(once[1:]):
            several.clear()  # another record of these tags would not match either
        elif not set(once).issubset(self._order) or not _in_order(once, self._order):
            order = merged(self._order, once)
            if order is None:
                return False
        wrapped = {tag for tag, value in zip(tags, values, strict=True) if "\n" in value}
        if order is not None:
            self._order, self._new = order, True
        if not several <= self._several:
            self._several |= several
            self._new = True
        if not wrapped <= self._wrapped:
            self._wrapped |= wrapped
            self._new = True
        self._left -= 1
        if self._left <= 0 and self._new:
            self._make()
            self._met += STEP
            self._left, self._new = self._met, False
        return True

    def was(self, ordinary: bool) -> None:
        """Whether the last record was ordinary."""
        self.luck = min(self.luck + SAVED, LUCK) if ordinary else self.luck - 1

    def _make(self) -> None:
        tags = self.tags = tuple(self._order)
        self.match = re.compile("".join(["\n++", *map(self._field, tags), "\nER  -[ \t]*+(?=\n)"])).match
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


class Orders:
    """The orders of tags in one file: one, or a few where it joins exports of several databases."""

    def __init__(self) -> None:
        self._all = [Order()]

    def match(self, text: str, at: int) -> tuple[re.Match[str], Order] | None:
        """The match of the record at ``text[at]`` and its order; ``None`` where none of them takes it whole."""
        for place, order in enumerate(self._all):
            if match := order.match(text, at):
                if place:  # records of one database stand together
                    self._all.insert(0, self._all.pop(place))
                return match, order
        return None

    def learn(self, tags: Sequence[str], values: Sequence[str]) -> Order:
        """Take in the order of a record that did not match; the order it is held to be of."""
        for order in self._all:
            if order.learn(tags, values):
                return order
        if len(self._all) < ORDERS:
            self._all.append(Order())
            self._all[-1].learn(tags, values)
        return self._all[-1]


def _in_order(tags: list[str], order: list[str]) -> bool:
    places = list(map(order.index, tags))
    return places == sorted(places)


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
