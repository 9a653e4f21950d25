"""TOML within bounds: whatever is wrong with a text is one ``ValueError`` with its reason; nothing takes minutes."""

from __future__ import annotations

import re
import tomllib
from typing import Any

#: The largest plan of a review stays under 1 MB.
MAX_CHARACTERS = 8 * 1024**2
#: The parts of a dotted key: the parser's time grows with the square of their number.
MAX_PARTS = 100
_DEEP = re.compile(rf"""(?:[\w"'-]{{1,60}}[ \t]{{0,3}}\.[ \t]{{0,3}}){{{MAX_PARTS}}}""")


def load_toml(text: str) -> dict[str, Any]:
    """The values of a text; ``ValueError`` says why there are none.

    >>> load_toml("a.b = 1")
    {'a': {'b': 1}}
    >>> load_toml("a" + ".a" * 200 + " = 1")
    Traceback (most recent call last):
        ...
    ValueError: a key has more than 100 parts
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"the text is longer than {MAX_CHARACTERS // 1024**2} MB")
    if _DEEP.search(text):
        raise ValueError(f"a key has more than {MAX_PARTS} parts")
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise ValueError("values are nested too deeply") from None
