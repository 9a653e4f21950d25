"""Decisions that screening tools write into their exports: ASReview's notes and labels, Rayyan's inclusion notes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from balm.vocabulary.record import DECISIONS, Vote

#: In BibTeX the braces are gone when the note is read.
_RAYYAN = re.compile(r"RAYYAN-INCLUSION:\s*(?:\{(.*?)\}|((?:\"[^\"]*\"=>\"[A-Za-z ]*\"(?:,\s*)?)+))")
_RAYYAN_ONE = re.compile(r'"+((?:[^"\\]|\\.)*)"+\s*=>\s*"+([A-Za-z ]+)"+')
_WORDS = {
    "included": "include",
    "include": "include",
    "relevant": "include",
    "yes": "include",
    "1": "include",
    "1.0": "include",
    "true": "include",
    "excluded": "exclude",
    "exclude": "exclude",
    "irrelevant": "exclude",
    "no": "exclude",
    "0": "exclude",
    "0.0": "exclude",
    "false": "exclude",
    "maybe": "maybe",
    "unsure": "maybe",
    "undecided": "maybe",
}
_ASREVIEW = {"ASReview_relevant": "include", "ASReview_irrelevant": "exclude", "balm_maybe": "maybe"}
_AS_NOTE = {decision: note for note, decision in _ASREVIEW.items()}
_OWN_VOTES = "balm_votes: "
_RAYYAN_WORDS = {"include": "Included", "exclude": "Excluded", "maybe": "Maybe"}


def as_decision(text: str) -> str | None:
    """A word or number of an export as a decision.

    >>> as_decision("Included"), as_decision("0"), as_decision("-1")
    ('include', 'exclude', None)
    """
    return _WORDS.get(text.strip().lower())


def decisions_in_notes(notes: Sequence[str]) -> tuple[str | None, tuple[Vote, ...], tuple[str, ...]]:
    """``(decision, votes, notes left)``. A note that holds more than a decision stays.

    >>> decisions_in_notes(['ASReview_relevant', 'RAYYAN-INCLUSION: {"Emily"=>"Maybe"}'])
    ('include', (Vote(person='Emily', decision='maybe', reason=None),), ())
    >>> decisions_in_notes(['RAYYAN-INCLUSION: "Ada"=>"Included", "Ben"=>"Excluded" | RAYYAN-LABELS: pain'])[2]
    ('RAYYAN-LABELS: pain',)
    """
    decision: str | None = None
    votes: tuple[Vote, ...] = ()
    left: list[str] = []
    for note in notes:
        if note in _ASREVIEW:
            decision = _ASREVIEW[note]
            continue
        if "RAYYAN-INCLUSION" in note and (found := _RAYYAN.search(note)):
            pairs = _RAYYAN_ONE.findall(found[2] if found[1] is None else found[1])
            cast = tuple(Vote(_unescape(p), word) for p, d in pairs if (word := as_decision(d)))
            if cast and len(cast) == len(pairs) and not votes:
                votes = cast
                note = (note[: found.start()] + note[found.end() :]).strip(" |\n")
                if not note:
                    continue
        elif note.startswith(_OWN_VOTES) and not votes:
            import json

            try:
                votes = tuple(Vote(p, d, r) for p, d, r in json.loads(note.removeprefix(_OWN_VOTES)) if d in DECISIONS)
                continue
            except (ValueError, TypeError):
                votes = ()
        left.append(note)
    return decision, votes, tuple(left)


def notes_for(decision: str | None, votes: Sequence[Vote]) -> list[str]:
    """The notes from which :func:`decisions_in_notes` reads the same again."""
    notes = [_AS_NOTE[decision]] if decision else []
    if not votes:
        return notes
    plain = all(v.reason is None and not re.search(r'["\\{}\n=]', v.person) and v.person.strip() for v in votes)
    if plain:
        inside = ", ".join(f'"{v.person}"=>"{_RAYYAN_WORDS[v.decision]}"' for v in votes)
        notes.append(f"RAYYAN-INCLUSION: {{{inside}}}")
    else:
        import json

        rows = [[v.person, v.decision, v.reason] for v in votes]
        notes.append(_OWN_VOTES + json.dumps(rows, ensure_ascii=True))
    return notes


def _unescape(text: str) -> str:
    return text.replace('\\"', '"')
