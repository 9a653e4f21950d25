"""Words to look for in a title or an abstract, marked by list: a text as pieces, each with the list it belongs to."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

#: ``(text, list)``; the list is empty for what is not marked.
Piece = tuple[str, str]


def marked(text: str, lists: Mapping[str, Sequence[str]]) -> list[Piece]:
    """``text`` cut into pieces. A word is found whole and in any case; ``*`` at its end stands for any ending.

    Where two lists hold the same place, the longer word wins, then the earlier list.

    >>> marked("Ketamine for pain in rats", {"include": ["ketamin*"], "exclude": ["rat*"]})
    [('Ketamine', 'include'), (' for pain in ', ''), ('rats', 'exclude')]
    >>> marked("No list", {})
    [('No list', '')]
    """
    pattern, names = _pattern(tuple((name, tuple(words)) for name, words in lists.items()))
    if pattern is None or not text:
        return [(text, "")] if text else []
    pieces: list[Piece] = []
    at = 0
    for found in pattern.finditer(text):
        if found.start() > at:
            pieces.append((text[at : found.start()], ""))
        pieces.append((found[0], names[int((found.lastgroup or "w0")[1:])]))
        at = found.end()
    if at < len(text):
        pieces.append((text[at:], ""))
    return pieces


@lru_cache(maxsize=64)
def _pattern(lists: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[re.Pattern[str] | None, tuple[str, ...]]:
    wanted = [(word.strip(), name) for name, words in lists for word in words if word.strip(" *")]
    wanted.sort(key=lambda pair: -len(pair[0]))
    if not wanted:
        return None, ()
    parts = []
    for at, (word, _) in enumerate(wanted):
        stem = r"\s+".join(re.escape(part) for part in word.rstrip("*").split())
        parts.append(f"(?P<w{at}>{stem}{chr(92)}w*)" if word.endswith("*") else f"(?P<w{at}>{stem})(?!{chr(92)}w)")
    return re.compile(r"(?<!\w)(?:" + "|".join(parts) + ")", re.IGNORECASE), tuple(name for _, name in wanted)
