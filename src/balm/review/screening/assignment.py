"""Who reads which record of a batch: so many people each, in even shares, with an expert where one is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

from balm.vocabulary.problems import InputError, Problem

Assigned = dict[str, tuple[str, ...]]


def check_screeners(screeners: Sequence[str], experts: Sequence[str] = (), *, reviewers: int = 2) -> None:
    """There are enough people for each record, and the experts are among them.

    >>> check_screeners(["ana"])
    Traceback (most recent call last):
        ...
    balm.vocabulary.problems.InputError: 2 people read each record; 1 is named: ['ana']
    """
    people = list(dict.fromkeys(screeners))
    if len(people) < reviewers:
        verb = "is" if len(people) == 1 else "are"
        who = "person reads" if reviewers == 1 else "people read"
        raise InputError(Problem(f"{reviewers} {who} each record; {len(people)} {verb} named: {people}"))
    if absent := [e for e in experts if e not in people]:
        raise InputError(Problem(f"an expert must be one of those who screen, {people}; got {absent}"))


def batch_length(size: int, screeners: int, *, reviewers: int = 2) -> int:
    """How many records a batch holds, so that everyone has about ``size`` of them to read.

    >>> batch_length(50, 2), batch_length(50, 5)
    (50, 125)
    """
    return ceil(size * max(screeners, reviewers) / reviewers)


def assign(
    records: Sequence[str], screeners: Sequence[str], experts: Sequence[str] = (), *, reviewers: int = 2, turn: int = 0
) -> Assigned:
    """Each record's readers, in the order of ``screeners``.

    With as many screeners as readers, everyone reads everything. With more, each record goes to those who have the
    least of this batch so far, and among these to a pair that has met least; ``turn`` (the number of the batch) moves
    who begins. Where there are ``experts``, one of them is among the readers of every record.

    >>> assign(["r1", "r2", "r3"], ["ana", "ben", "cem"])
    {'r1': ('ana', 'ben'), 'r2': ('ana', 'cem'), 'r3': ('ben', 'cem')}
    >>> assign(["r1", "r2"], ["ana", "ben", "cem"], ["cem"])
    {'r1': ('ana', 'cem'), 'r2': ('ben', 'cem')}
    """
    check_screeners(screeners, experts, reviewers=reviewers)
    people = list(dict.fromkeys(screeners))
    first = turn % len(people)
    begins = {who: (at - first) % len(people) for at, who in enumerate(people)}
    load = dict.fromkeys(people, 0)
    met: dict[frozenset[str], int] = {}
    assigned: Assigned = {}
    for record in records:
        readers: list[str] = []
        while len(readers) < reviewers:
            pool = list(experts) if experts and not readers else people

            def order(who: str, chosen: list[str] = readers) -> tuple[int, int, int]:
                return load[who], sum(met.get(frozenset((who, other)), 0) for other in chosen), begins[who]

            readers.append(min((who for who in pool if who not in readers), key=order))
        for at, who in enumerate(readers):
            load[who] += 1
            for other in readers[:at]:
                pair = frozenset((who, other))
                met[pair] = met.get(pair, 0) + 1
        assigned[record] = tuple(who for who in people if who in readers)
    return assigned


def orphaned(
    assigned: Mapping[str, Sequence[str]], voted: Mapping[str, Sequence[str]], screeners: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Records that wait for somebody who no longer screens: record -> those who read it or still will.

    A vote that was cast stays and counts, whoever left since.

    >>> orphaned({"r1": ("ana", "ben"), "r2": ("ana", "ben")}, {"r1": ("ben",)}, ["ana", "cem"])
    {'r2': ('ana',)}
    """
    found = {}
    for record, readers in assigned.items():
        left = tuple(who for who in readers if who in screeners or who in voted.get(record, ()))
        if len(left) < len(readers):
            found[record] = left
    return found


def reassign(
    orphans: Mapping[str, Sequence[str]], screeners: Sequence[str], experts: Sequence[str] = (), *, reviewers: int = 2
) -> Assigned:
    """New readers for orphaned records, in place of those who left: only the new ones are named.

    >>> reassign({"r2": ("ana",)}, ["ana", "cem"])
    {'r2': ('cem',)}
    """
    load = dict.fromkeys(screeners, 0)
    assigned: Assigned = {}
    for record, left in orphans.items():
        readers: list[str] = []
        while len(left) + len(readers) < reviewers:
            free = [who for who in screeners if who not in left and who not in readers]
            wanted = [who for who in free if who in experts]
            if not set(experts) & {*left, *readers} and wanted:
                free = wanted
            if not free:
                break
            who = min(free, key=lambda name: load[name])
            load[who] += 1
            readers.append(who)
        if readers:
            assigned[record] = tuple(readers)
    return assigned
