"""Numbers of people by a list or a sum: "3, 5 and 7 patients", "190 adults (87 oral, 103 IV)"."""

from __future__ import annotations

import re

from balm.review.claims_in_text.claim import CONSISTENT, FoundClaim
from balm.review.claims_in_text.tokens import Tokens

#: "3, 5 and 7 patients": the noun stands behind the last; a comma behind that ("weeks 4, 8, and 12, patients") ends it.
LISTED = re.compile(r"(?P<list>n(?:,n)*,?[av])n(?:[wdM]|w,w){0,3}[NS]")
#: "(n = 3, 5, and 7, respectively)"
LISTED_AFTER_N = re.compile(r"E[=Lo]?n(?P<list>(?:,n)*,?an)")
#: How far behind a number its parts may stand, in pieces, and how many parts are looked for.
FARTHEST_PART, MOST_PARTS = 30, 4
#: A number before one of these is no part of a number of people.
_MEASURED = frozenset("%uT/±x")


def listed(tokens: Tokens) -> list[tuple[int, str]]:
    """Place of each number of a list whose last one alone names what is counted, and whether people or studies are."""
    found: list[tuple[int, str]] = []
    for match in LISTED.finditer(tokens.kinds):
        what = "studies" if match[0].endswith("S") else "participants"
        places = [i for i in range(match.start("list"), match.end("list")) if tokens.kinds[i] == "n"]
        while len(places) > 1 and not _counts(tokens, places[0]):  # "To June 2013, 5624 and 791 patients"
            places = places[1:]
        if tokens.kinds[match.start() - 1 : match.start()] in ("S", "N"):  # "Studies 2 and 3 extended study 1"
            continue
        if all(_counts(tokens, i) for i in (*places, match.end("list"))):
            found += [(i, what) for i in places]
    for match in LISTED_AFTER_N.finditer(tokens.kinds):
        places = [i for i in range(match.start("list"), match.end("list")) if tokens.kinds[i] == "n"]
        if all(_counts(tokens, i) and tokens.kinds[i + 1 : i + 2] not in _MEASURED for i in places):
            found += [(i, "participants") for i in places]
    return found


def _counts(tokens: Tokens, i: int) -> bool:
    """Whether the number can be one of people: whole, printed in figures or words, no year."""
    value = tokens.number(i)
    return value.whole and value.value >= 0 and not (1900 <= value.value <= 2100 and value.value.is_integer())


def parts(tokens: Tokens, claims: list[FoundClaim], used: set[int]) -> list[FoundClaim]:
    """Numbers behind one of people, in its sentence, that make it up exactly: "134 women, 69 to oral and 65 to IV".

    Only an exact sum of two to four numbers makes them parts; numbers that are claimed already count in the sum.
    """
    place_of = {start: i for i, start in enumerate(tokens.starts)}
    found: list[FoundClaim] = []
    for claim in claims:
        if claim.kind != "count" or claim.measure != "participants" or not claim.n or claim.n < 3:
            continue
        at = place_of.get(claim.start)
        if at is None or tokens.kinds[at] != "n":
            continue
        own = _parts_of(tokens, at, claim.n)
        said = " + ".join(f"{tokens.number(i).value:g}" for i in own)
        for i in own:
            if i in used:
                continue
            used.add(i)
            found.append(count_of(tokens, i, "participants", CONSISTENT, f"{said} = {claim.n}"))
    return found


def count_of(
    tokens: Tokens, at: int, what: str, verdict: str, why: str, words: tuple[int, int] | None = None
) -> FoundClaim:
    """The claim that the number at ``at`` counts people or studies; ``words``: first and last piece of what says so."""
    first, last = words or (at, at)
    return FoundClaim(
        tokens.printed(first, last),
        tokens.starts[first],
        tokens.ends[last],
        "count",
        verdict,
        why,
        measure=what,
        n=round(tokens.number(at).value),
    )


def _parts_of(tokens: Tokens, at: int, whole: int) -> list[int]:
    kinds = tokens.kinds
    stop = kinds.find(".", at)
    stop = min(len(kinds) if stop < 0 else stop, at + FARTHEST_PART)
    taken: list[int] = []
    for i in range(at + 1, stop):
        if kinds[i] != "n" or kinds[i + 1 : i + 2] == "%":
            continue
        value = tokens.number(i)
        if not value.whole or value.value < 1 or kinds[i + 1 : i + 2] in _MEASURED:
            return []
        if kinds[i - 1] in "=/±-" and kinds[i - 2 : i - 1] != "E":
            return []
        opened = kinds[kinds.rfind(".", 0, at) + 1 : i]
        closed = opened.count("(") <= opened.count(")")
        if kinds[i + 1 : i + 2] == ")" and closed:  # "three arms: 1) usual care, 2) ..."
            return []
        taken.append(i)
        total = sum(tokens.number(j).value for j in taken)
        if total == whole and len(taken) > 1:
            return taken
        if total > whole or len(taken) == MOST_PARTS:
            return []
    return []
