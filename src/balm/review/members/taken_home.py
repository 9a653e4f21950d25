"""Who took the whole review home knows what is hidden in it, and does not judge beside those whose work that is.

A lead may take the archive home while others screen, extract or assess unseen. What was cast, entered or judged by then
is known to them: they do not become the second, independent person on it. Where others hear of the refusal (who is
named to screen) it rests on what everybody knows, the batches dealt out and the records revealed, and so tells of no
hidden vote; where only the person hears of it (taking a study) it may rest on what their archive has told them already.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def why_not_screen(stage: str, taken: Mapping[str, str], dealt: Iterable[tuple[str, str]]) -> str:
    """Why somebody named may not screen at a stage; empty when all may.

    ``taken``: member -> when they last took the archive home. ``dealt``: (time, record) of what is dealt out at the
    stage and not revealed. Times are ISO 8601 in UTC and compare as texts.

    >>> why_not_screen("full-text", {"ana": "2026-11-02"}, [("2026-11-01", "r1")])[:71]
    'ana took the archive home on 2026-11-02, when records at full-text were'
    >>> why_not_screen("full-text", {"ana": "2026-11-02"}, [("2026-11-03", "r1")])
    ''
    """
    first = min((time for time, _ in dealt), default=None)
    for who, when in taken.items():
        if first is not None and first <= when:
            return (
                f"{who} took the archive home on {when[:10]}, when records at {stage} were dealt out that are not "
                "revealed yet: it may hold votes that are hidden from who screens. Name somebody else, or wait until "
                "these records are revealed"
            )
    return ""


def why_not_begin(study: str, when: str | None, others: Iterable[str]) -> str:
    """Why a member may not begin on a study; empty when they may.

    ``when`` they last took the archive home, if they did; ``others``: the times of what others entered or judged.

    >>> why_not_begin("Lee 2020", "2026-11-02", ["2026-11-01"])
    'you took the archive home on 2026-11-02: it holds what somebody else had done on Lee 2020; another person does it'
    >>> why_not_begin("Lee 2020", None, ["2026-11-01"])
    ''
    """
    if when is not None and any(time <= when for time in others):
        return (
            f"you took the archive home on {when[:10]}: it holds what somebody else had done on {study}; "
            "another person does it"
        )
    return ""
