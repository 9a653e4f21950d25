"""A number as RevMan writes it. What only Python takes for one (``1_000``, full-width digits) is none."""

from __future__ import annotations

import re
from math import isfinite

_NUMBER = re.compile(r"[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|inf(?:inity)?)", re.ASCII | re.IGNORECASE)


def number(text: str | None) -> float | None:
    """A stored number, ``None`` where the text is none (empty, ``NaN``, ``#N/A``).

    >>> number("-0.25"), number(" 12.5% "), number("Infinity"), number("NaN"), number("1_000")
    (-0.25, 12.5, inf, None, None)
    """
    plain = (text or "").strip().rstrip("%")
    return float(plain) if _NUMBER.fullmatch(plain) else None


def finite(text: str | None) -> float | None:
    """A number of a study, which is never infinite."""
    value = number(text)
    return value if value is not None and isfinite(value) else None
