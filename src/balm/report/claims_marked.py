"""A text cut where its claims stand, so that a page can mark them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from balm.review.claims_in_text.claim import FoundClaim


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the text; ``number`` is that of its claim, from 1, or 0 between claims."""

    text: str
    number: int = 0
    verdict: str = ""


def marked(text: str, claims: Sequence[FoundClaim]) -> list[Piece]:
    """The text in pieces, in order. Of claims that overlap the one with figures is marked, and all are listed below it.

    >>> from balm.review.claims_in_text.check import check_claims
    >>> text = "Relief in 23/45 (51.1%)."
    >>> [(p.text, p.number) for p in marked(text, check_claims(text).claims)]
    [('Relief in ', 0), ('23/45 (51.1%)', 1), ('.', 0)]
    """
    order = sorted(range(len(claims)), key=lambda i: (claims[i].kind == "statement", claims[i].start))
    chosen: list[int] = []
    for i in order:
        if all(claims[i].end <= claims[j].start or claims[j].end <= claims[i].start for j in chosen):
            chosen.append(i)
    pieces: list[Piece] = []
    at = 0
    for i in sorted(chosen, key=lambda i: claims[i].start):
        claim = claims[i]
        if claim.start > at:
            pieces.append(Piece(text[at : claim.start]))
        pieces.append(Piece(text[claim.start : claim.end], i + 1, claim.verdict))
        at = claim.end
    if at < len(text):
        pieces.append(Piece(text[at:]))
    return pieces
